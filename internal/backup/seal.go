package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/recovery"
)

// sealed says what of a data directory goes into the sealed part: the keys, and
// the settings, which may name secrets, and patients.
var sealed = []string{"keys", "collimator.yaml", "scope.yaml", "routes.yaml", recovery.File}

// sealedMost bounds what is read of a sealed part, in bytes.
const sealedMost = 64 << 20

// seal writes keys and settings into a file that the recovery key opens.
func seal(data, path, public string) (*Sealed, error) {
	f, err := durable.Create(filepath.Dir(path), 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "backup: begin the sealed part")
	}
	defer f.Abort()

	h := sha256.New()
	box, err := recovery.Seal(io.MultiWriter(f, h), public)
	if err != nil {
		return nil, err
	}

	w := tar.NewWriter(box)
	for _, name := range sealed {
		if err := pack(w, data, name); err != nil {
			return nil, fmt.Errorf("backup: seal %s: %w", name, err)
		}
	}
	if err := errors.Join(w.Close(), box.Close()); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "backup: seal keys")
	}

	if err := f.Whole(path); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "backup: finish the sealed part")
	}

	return &Sealed{Public: public, Digest: hex.EncodeToString(h.Sum(nil))}, nil
}

// pack adds a file, or all files of a directory. What is being written has a
// name that begins with a dot, and is left out.
func pack(w *tar.Writer, data, name string) error {
	return filepath.WalkDir(filepath.Join(data, name), func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // no such settings, or a key that was replaced meanwhile
		}
		if err != nil || !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			return err
		}

		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}

		head := &tar.Header{
			Typeflag: tar.TypeReg, Name: filepath.ToSlash(rel), Mode: 0o600, Size: int64(len(content)),
		}
		if err := w.WriteHeader(head); err != nil {
			return err
		}

		_, err = w.Write(content)
		return err
	})
}

// unseal writes the sealed part of a copy into a data directory.
func (d *Dir) unseal(m Manifest, data string, key *recovery.Key) error {
	path := d.copyPath(m.Name, keysFile)
	digest, _, err := digestFile(path)
	if err != nil {
		return err
	}

	if digest != m.Sealed.Digest {
		return fault.New(fault.Invalid,
			"backup: the sealed part is not the one of the manifest: it was damaged or replaced; "+
				"choose another copy, or restore with --without-keys")
	}

	f, err := os.Open(path)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "backup: open the sealed part")
	}
	defer f.Close()

	box, err := key.Open(f)
	if err != nil {
		return err
	}

	r := tar.NewReader(io.LimitReader(box, sealedMost))

	for {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = unpack(r, head, data)
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "backup: open the sealed part")
		}
	}
}

func unpack(r io.Reader, head *tar.Header, data string) error {
	name := filepath.FromSlash(head.Name)
	if head.Typeflag != tar.TypeReg || !filepath.IsLocal(name) {
		return errors.New("it holds an entry that is not a file of a data directory")
	}

	content, err := io.ReadAll(r) // of ours, and bounded
	if err != nil {
		return err
	}

	path := filepath.Join(data, name)
	if err := durable.Directory(filepath.Dir(path)); err != nil {
		return err
	}

	return durable.Once(path, content, 0o600)
}
