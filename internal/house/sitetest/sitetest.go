// Package sitetest is a whole installation for tests: a data directory whose keys
// were made before, a few images of patients that do not exist, and what answers
// by HTTPS in front of them. Nothing of the product imports it. What needs no
// installation is in housetest.
package sitetest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"collimator/internal/config"
	"collimator/internal/house"
)

// Open opens a new installation for a test. Its keys and its empty index are
// those of one that was made before: making them is most of what a start costs.
// Its passwords are hashed in no time, and all that it issues has one key.
func Open(t testing.TB, c config.Config) *house.Installation {
	t.Helper()
	content, err := Made()
	if err != nil {
		t.Fatal(err)
	}

	return content.open(t, c)
}

// open writes the files of the directory into the data directory that c names, opens
// them as an installation, and weakens it so that tests are quick.
func (d Directory) open(t testing.TB, c config.Config) *house.Installation {
	t.Helper()
	if err := d.Lay(c.Data); err != nil {
		t.Fatal(err)
	}

	in, err := house.Open(t.Context(), c, true)
	if err != nil {
		t.Fatal(err)
	}

	if err := weaken(in); err != nil {
		t.Fatal(err)
	}

	return in
}

// weaken makes an installation cheap: it hashes weakly, and all its devices share one key.
func weaken(in *house.Installation) error {
	key, err := OneKey()
	if err != nil {
		return err
	}
	in.Registry.InsecureWeakHashes()
	in.Authority.InsecureOneKey(key)

	return nil
}

// OneKey is the key of every device of the tests.
func OneKey() (*rsa.PrivateKey, error) { return oneKey() }

var oneKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// Directory is the files of a data directory by their path in it.
type Directory map[string][]byte

// Made is a data directory after its first start.
func Made() (Directory, error) { return made() }

var made = grown(func() (Directory, error) { return Directory{}, nil }, func(_ context.Context, in *house.Installation) error {
	if _, err := in.Authority.DevicesCertPEM(); err != nil {
		return err
	}
	s, err := house.NewServer(in, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}

	return s.Close()
})

// grown is a data directory that becomes another one by what is done with its
// installation: once, when it is first wanted.
func grown(from func() (Directory, error), do func(ctx context.Context, in *house.Installation) error) func() (Directory, error) {
	return sync.OnceValues(func() (Directory, error) {
		d, err := from()
		if err != nil {
			return nil, err
		}

		return d.layOut(context.Background(), do)
	})
}

// layOut opens an installation of these files, weakens it, does something with it, and
// reads the files it has then.
func (d Directory) layOut(ctx context.Context, do func(ctx context.Context, in *house.Installation) error) (Directory, error) {
	root, err := os.MkdirTemp("", "collimator-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)

	c := config.Default()
	c.Data = filepath.Join(root, "data")
	if err := d.Lay(c.Data); err != nil {
		return nil, err
	}
	in, err := house.Open(ctx, c, true)
	if err != nil {
		return nil, err
	}
	err = weaken(in)
	if err == nil {
		err = do(ctx, in)
	}
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, err
	}

	return read(c.Data)
}

// read reads the files below a data directory but for the room it reserves.
func read(root string) (Directory, error) {
	out := Directory{}
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

// Lay writes the files below a root that is made.
func (d Directory) Lay(root string) error {
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
