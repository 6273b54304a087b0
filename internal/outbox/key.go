package outbox

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"strings"

	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/recovery"
)

// openKey reads the key that objects are sealed with, and makes it where there is none.
func openKey(path string) (*recovery.Key, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "outbox: read its key")
	}

	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text[:min(len(text), recovery.FileMost)])))
	if err != nil {
		secret = nil
	}
	key, err := recovery.Parse(string(secret))
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "outbox: %s holds no key; bring it back from a backup: "+
			"what waits cannot be read without it", path)
	}
	return key, nil
}

func makeKey(path string) (*recovery.Key, error) {
	key, err := recovery.New()
	if err != nil {
		return nil, err
	}
	// Not in the form of a recovery key, for which nobody shall take it.
	secret := base64.StdEncoding.EncodeToString([]byte(key.Secret()))
	err = durable.Once(path, []byte(secret+"\n"), 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was first
		return openKey(path)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "outbox: make its key")
	}
	return key, nil
}
