package ledger

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"collimator/internal/durable"
)

// keyFile holds the signing key, below it the key that verifies, and below that
// the keys that verified before it, newest first: each on a line in the form of
// signed notes.
const keyFile = "ledger.key"

// Key signs checkpoints.
type Key struct {
	signer   note.Signer
	verifier note.Verifier
	// Public verifies the checkpoints: NAME+HASH+KEY. Keep a copy elsewhere.
	Public string
	// Former verify what was signed before the key was rotated, newest first.
	Former []string
}

// OpenKey loads the key of dir, or makes one for a log of this name.
func OpenKey(dir, name string) (*Key, error) {
	path := filepath.Join(dir, keyFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path, name); err != nil {
			return nil, err
		}
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: key: %w", err)
	}

	secret, public, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	lines := strings.Fields(public)
	k := &Key{Public: strings.Join(lines[:min(len(lines), 1)], "")}
	if len(lines) > 1 {
		k.Former = lines[1:]
	}

	if k.signer, err = note.NewSigner(secret); err != nil {
		return nil, fmt.Errorf("ledger: %s is damaged; restore it from a backup", keyFile)
	}
	if k.verifier, err = note.NewVerifier(k.Public); err != nil {
		return nil, fmt.Errorf("ledger: %s is damaged; restore it from a backup", keyFile)
	}

	if k.signer.KeyHash() != k.verifier.KeyHash() {
		return nil, fmt.Errorf("ledger: the two lines of %s do not belong together; restore it from a backup", keyFile)
	}

	return k, nil
}

// makeKey writes a new key; of two processes the first wins.
func makeKey(path, name string) error {
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return fmt.Errorf("ledger: make key: %w", err)
	}

	if err := durable.Directory(filepath.Dir(path)); err != nil {
		return fmt.Errorf("ledger: make key: %w", err)
	}

	err = durable.Once(path, fmt.Appendf(nil, "%s\n%s\n", secret, public), 0o600)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("ledger: make key: %w", err)
	}
	return nil
}
