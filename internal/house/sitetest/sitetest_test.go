package sitetest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/config"
	"collimator/internal/house/sitetest"
)

func TestInstallationsOfTestsAreLaidOutLikeNewOnes(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := sitetest.Open(t, c)
	defer in.Close()

	for _, name := range []string{"index.db", "keys/ca.key.pem", "keys/server.cert.pem", "keys/ledger.key"} {
		if _, err := os.Stat(filepath.Join(c.Data, name)); err != nil {
			t.Error(err)
		}
	}
	err := filepath.WalkDir(c.Data, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".pem") {
			if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
			}
		}

		return err
	})
	if err != nil {
		t.Error(err)
	}
}
