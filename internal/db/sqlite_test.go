package db_test

import (
	"path/filepath"
	"testing"

	"collimator/internal/db"
	"collimator/internal/db/dbtest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T) *db.DB {
		d, err := db.Open(t.Context(), db.Options{Path: filepath.Join(t.TempDir(), "x.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	})
}
