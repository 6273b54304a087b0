package house

import (
	"bytes"
	"os"

	"collimator/internal/fault"
)

// Settings that name a file with a secret.
const (
	mailPassword = "alarms.mail.password_file"
	hookSecret   = "alarms.webhook.secret_file"
	eabKey       = "tls.acme.eab_key_file"
)

// SecretOf reads the first line of the file that a setting names, and refuses one
// that others may read or whose line has fewer than least characters.
func SecretOf(key, path string, least int) ([]byte, error) {
	if err := ownerOnly(key, path); err != nil {
		return nil, err
	}
	return lineOf(key, path, least)
}

// lineOf is SecretOf whoever may read the file.
func lineOf(key, path string, least int) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Usage("%s: %w", key, err)
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	if line = bytes.TrimSpace(line); len(line) < least {
		return nil, fault.Usage("%s: the first line of %s needs %d characters or more", key, path, least)
	}
	return line, nil
}
