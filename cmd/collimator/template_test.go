package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"collimator/internal/config"
	"collimator/internal/house"
)

// openNew opens a new installation for a test. Its keys and its empty index are
// those of one that was made before: making them is most of what a start costs.
// Its passwords are hashed in no time, and all that it issues has one key.
func openNew(t *testing.T, c config.Config) *house.Installation {
	t.Helper()
	content, err := made()
	if err != nil {
		t.Fatal(err)
	}
	if err := content.lay(c.Data); err != nil {
		t.Fatal(err)
	}

	in, err := house.Open(t.Context(), c, true)
	if err != nil {
		t.Fatal(err)
	}
	in.Registry.InsecureWeakHashes()
	key, err := oneKey()
	if err != nil {
		t.Fatal(err)
	}
	in.Authority.InsecureOneKey(key)

	return in
}

// oneKey is the key of every device of the tests.
var oneKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// directory is the files of a data directory by their path in it.
type directory map[string][]byte

// made is a data directory after its first start.
var made = sync.OnceValues(func() (directory, error) {
	root, err := os.MkdirTemp("", "collimator-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)

	c := config.Default()
	c.Data = filepath.Join(root, "data")
	in, err := house.Open(context.Background(), c, true)
	if err != nil {
		return nil, err
	}
	if _, err := in.Authority.DevicesCertPEM(); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	s, err := house.NewServer(in, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	if err := errors.Join(s.Close(), in.Close()); err != nil {
		return nil, err
	}

	return read(c.Data)
})

// read reads the files below a data directory but for the room it reserves.
func read(root string) (directory, error) {
	out := directory{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || e.Name() == "reserve" {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		out[name], err = os.ReadFile(path)

		return err
	})

	return out, err
}

// lay writes the files below a root that is made.
func (d directory) lay(root string) error {
	for name, content := range d {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}

	return nil
}

func TestInstallationsOfTestsAreLaidOutLikeNewOnes(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := openNew(t, c)
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
