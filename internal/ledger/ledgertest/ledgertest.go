// Package ledgertest opens a ledger for the tests of what writes into it.
package ledgertest

import (
	"path/filepath"
	"testing"

	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/ledger"
)

// Open makes an empty database with its ledger, whose key lies beside it. Both end
// with the test.
func Open(t testing.TB) (*ledger.Log, *db.DB) {
	t.Helper()
	dir := t.TempDir()

	d, err := dbtest.Open(t.Context(), filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { d.Close() })

	key, err := ledger.OpenKey(dir, "test")
	if err != nil {
		t.Fatal(err)
	}

	return ledger.New(d, key), d
}
