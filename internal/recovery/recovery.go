// Package recovery seals what must be readable when everything else is lost, to
// a key that is kept elsewhere: on paper, in a safe, in a password manager. The
// data directory has the public part alone, so that who steals a backup, or the
// machine that makes it, reads nothing that was sealed. The form is that of age
// (age-encryption.org/v1, X25519): its own tool opens it too. What is sealed is
// no matter of this package.
package recovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Key opens what was sealed to its public part.
type Key struct{ identity *age.X25519Identity }

// New makes a key.
func New() (*Key, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("recovery: make key: %w", err)
	}

	return &Key{identity: id}, nil
}

// Parse reads the secret of a key, as Secret gave it: a line of its own among
// lines that begin with #. Blanks around it and the case of its letters do not
// matter. An error of kind Invalid does not quote what was read.
func Parse(text string) (*Key, error) {
	for line := range strings.Lines(text) {
		line = strings.ToUpper(strings.TrimSpace(line))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, err := age.ParseX25519Identity(line)
		if err != nil {
			break
		}

		return &Key{identity: id}, nil
	}

	return nil, fault.New(fault.Invalid, "recovery: that is not a recovery key; want a line that begins with AGE-SECRET-KEY-1")
}

// FileMost bounds what is read of a file with a recovery key, in bytes.
const FileMost = 4096

// Read reads the key of a file, which a flag names; no file gives no key. A file that
// is not there or holds none ends as fault.Misused.
func Read(flag, file string) (*Key, error) {
	if file == "" {
		return nil, nil
	}

	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Usage("%s: %w", flag, err)
	}

	key, err := Parse(string(text[:min(len(text), FileMost)]))
	if err != nil {
		return nil, fault.Usage("%s: %w", flag, err)
	}
	return key, nil
}

// Secret is what is kept elsewhere, 74 characters.
func (k *Key) Secret() string { return k.identity.String() }

// Public is to whom things are sealed. Everybody may know it.
func (k *Key) Public() string { return k.identity.Recipient().String() }

// Open reads what was sealed. An error of kind Denied says that it was sealed to
// another key. Content that was changed ends the reader with an error.
func (k *Key) Open(r io.Reader) (io.Reader, error) {
	out, err := age.Decrypt(r, k.identity)
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return nil, fault.Wrap(fault.Denied, err, "recovery: the keys in it are sealed to another recovery key; "+
			"take the one that was the archive's when the copy was made")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "recovery: what was sealed is damaged")
	}

	return out, nil
}

// Seal begins something that only the key opens of which this is the public
// part. It is complete when Close returned nil.
func Seal(w io.Writer, public string) (io.WriteCloser, error) {
	to, err := age.ParseX25519Recipient(public)
	if err != nil {
		return nil, fault.New(fault.Invalid, "recovery: that is not the public part of a recovery key")
	}

	out, err := age.Encrypt(w, to)
	if err != nil {
		return nil, fmt.Errorf("recovery: seal: %w", err)
	}

	return out, nil
}

// File is the name, in a data directory, of what is known of its key.
const File = "recovery.json"

// State is what a data directory knows of its key.
type State struct {
	Public    string    `json:"public"` // empty: there is none
	Made      time.Time `json:"made"`
	Confirmed time.Time `json:"confirmed,omitzero"` // somebody has shown that the secret is kept; zero: nobody yet
}

// Load reads the state; of a directory without one it is zero.
func Load(data string) (s State, err error) {
	b, err := os.ReadFile(filepath.Join(data, File))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("recovery: %w", err)
	}

	if err := json.Unmarshal(b, &s); err != nil {
		return s, fault.New(fault.Invalid, "recovery: "+File+" cannot be read; make a new recovery key")
	}

	return s, nil
}

// Save writes the state, and returns when it is durable.
func (s State) Save(data string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}

	return durable.Whole(filepath.Join(data, File), append(b, '\n'), 0o600)
}
