//go:build !linux

package db

import "testing"

func smallDisk(t *testing.T) string {
	t.Helper()
	t.Skip("only Linux has a small file system for this test")

	return ""
}
