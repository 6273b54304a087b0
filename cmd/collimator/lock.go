package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// serveLock is the file a server holds while it runs on a data directory.
const serveLock = "serve.lock"

// lockData makes sure that one server runs on a data directory: two would
// deliver, scan and send alarms twice. Commands need no lock.
func lockData(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, serveLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(usageError("another server runs on %s; stop it first, or name another directory with --data", dir), f.Close())
	}
	return f, nil
}
