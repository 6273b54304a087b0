package main

import (
	"collimator/internal/durable"
)

// directories are those that a command made sure of, so that of many files in
// one only the first costs its fsync.
type directories map[string]bool

func (m directories) make(dir string) error {
	if m[dir] {
		return nil
	}
	if err := durable.Directory(dir); err != nil {
		return err
	}
	m[dir] = true
	return nil
}
