package terminal

import (
	"fmt"
	"io"

	"collimator/internal/durable"
)

// Deliver prints what was made, or, where a path is given, writes it there whole,
// for its owner alone, and says so behind a sentence. No sentence says nothing.
func Deliver(w io.Writer, path string, content []byte, sentence string) error {
	if path == "" {
		_, err := w.Write(content)
		return err
	}

	if err := durable.Whole(path, content, 0o600); err != nil || sentence == "" {
		return err
	}

	_, err := fmt.Fprintf(w, "%s Written to %s.\n", sentence, path)
	return err
}
