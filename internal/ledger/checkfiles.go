package ledger

import (
	"fmt"
	"io"
	"os"

	"collimator/internal/fault"
	"collimator/internal/phrase"
	"collimator/internal/shown"
)

// CheckFiles checks the proof of a file with the key of another, and nothing else,
// and says in words what it proves.
func CheckFiles(w io.Writer, bundle, keyFile string) error {
	proof, err := os.ReadFile(bundle)
	if err != nil {
		return fault.Usage("--bundle: %w", err)
	}

	if keyFile == "" {
		return fault.Usage("--bundle needs --key FILE, which 'collimator ledger key' printed")
	}

	key, err := os.ReadFile(keyFile)
	if err != nil {
		return fault.Usage("--key: %w", err)
	}

	got, err := Check(string(proof), string(key))
	if err != nil {
		return err
	}

	if got.Leaf == nil {
		_, err = fmt.Fprintf(w, "The proof holds: the log of %s continues that of %s.\n",
			phrase.Count(got.Tree.Size, "leaf", "leaves"), phrase.Count(got.Older.Size, "leaf", "leaves"))
		return err
	}

	_, err = fmt.Fprintf(w, "The proof holds: leaf %d of %d says:\n%s\n",
		got.Leaf.Position, got.Tree.Size, shown.Text(got.Leaf.Data))
	return err
}
