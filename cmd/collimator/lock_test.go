//go:build unix

package main

import (
	"errors"
	"strings"
	"testing"
)

func TestOneServerRunsOnADataDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := lockData(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lockData(dir)
	if usage, ok := errors.AsType[*exitError](err); !ok || usage.code != exitUsage || !strings.Contains(err.Error(), "another server runs") {
		t.Errorf("a second one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := lockData(dir)
	if err != nil {
		t.Fatalf("after the first one ended: %v", err)
	}
	third.Close()
}
