package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/recovery"
)

// Restoring says how a copy is brought back.
type Restoring struct {
	Copy     string                  // name; empty: the newest
	Data     string                  // directory, empty or not there
	Key      *recovery.Key           // nil: without keys and settings
	Progress func(bytes int64)       // is told of each file; may be nil
	Place    func(data string) error // puts other keys there, where Key is nil; may be nil
}

// Restored is what was brought back.
type Restored struct {
	Manifest
	Missing []Lack `json:"missing"` // files that the backup has not, or damaged, beside those the manifest names
}

// Restore brings a copy back into an empty directory: keys, files, and the index
// last, so that what was cut off is not a data directory. Each file is held against
// its digest, and the index against the manifest.
func (d *Dir) Restore(ctx context.Context, r Restoring) (out Restored, err error) {
	m, err := d.choose(r.Copy)
	if err != nil {
		return out, err
	}

	out = Restored{Manifest: m, Missing: []Lack{}}

	if err := emptyPlace(r.Data); err != nil {
		return out, err
	}

	digest, _, err := digestFile(d.copyPath(m.Name, indexFile))
	if err != nil {
		return out, err
	}
	if digest != m.IndexDigest {
		return out, fault.Newf(fault.Invalid, "backup: the index of copy %s is not the one of its manifest: "+
			"it was damaged or replaced; choose another copy", m.Name)
	}

	if err := d.restoreKeys(m, r); err != nil {
		return out, err
	}

	if err := d.restoreFiles(ctx, m, r, &out); err != nil {
		return out, err
	}

	return out, d.restoreIndex(m, r.Data)
}

// choose finds a copy by its name; an empty name means the newest. Copies in a
// format of another time are passed over.
func (d *Dir) choose(name string) (Manifest, error) {
	copies, _, err := d.Copies()
	if err != nil {
		return Manifest{}, err
	}

	for _, m := range copies {
		if (name == "" || m.Name == name) && m.Format == Format {
			return m, nil
		}
	}

	return Manifest{}, fault.New(fault.NotFound, "backup: there is no such copy, or it was never finished; "+
		"'collimator restore --list' shows which there are")
}

func emptyPlace(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "backup: look into the new directory")
	}

	if len(entries) > 0 {
		return fault.Newf(fault.Conflict, "backup: %s is not empty; nothing was changed: name a new directory", dir)
	}

	return fault.Wrap(fault.Unavailable, durable.Directory(dir), "backup: make directory")
}

func (d *Dir) restoreKeys(m Manifest, r Restoring) error {
	switch {
	case r.Key == nil && r.Place != nil:
		return r.Place(r.Data)
	case r.Key == nil:
		return nil
	case m.Sealed == nil:
		return fault.Newf(fault.Invalid,
			"backup: copy %s was made without keys; choose another copy, or restore with --without-keys", m.Name)
	}

	return d.unseal(m, r.Data, r.Key)
}

func (d *Dir) restoreFiles(ctx context.Context, m Manifest, r Restoring, out *Restored) (err error) {
	from, err := blob.ReadDir(filepath.Join(d.root, blobsDir))
	if err != nil {
		return err
	}

	to, err := blob.OpenDir(filepath.Join(r.Data, blobsDir))
	if err != nil {
		return errors.Join(err, from.Close())
	}

	c, err := db.OpenCopy(ctx, d.copyPath(m.Name, indexFile))
	if err != nil {
		return errors.Join(err, from.Close(), to.Close())
	}
	defer func() { err = errors.Join(err, c.Close(), from.Close(), to.Close()) }()

	known := map[string]bool{}
	for _, l := range m.Lacking {
		known[l.Digest] = true
	}

	for f, err := range archive.Files(ctx, c) {
		if err != nil {
			return err
		}

		err = copyBlob(ctx, from, to, f)
		switch fault.Of(err) {
		case fault.None:
		case fault.NotFound, fault.Invalid:
			if !known[f.Digest] {
				out.Missing = append(out.Missing, Lack{Digest: f.Digest, What: fault.Text(err)})
			}
		default:
			return err
		}

		if r.Progress != nil {
			r.Progress(f.Size)
		}
	}

	return nil
}

func (d *Dir) restoreIndex(m Manifest, data string) error {
	in, err := os.Open(d.copyPath(m.Name, indexFile))
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "backup: open the index")
	}
	defer in.Close()

	f, err := durable.Create(data, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "backup: begin the index")
	}
	defer f.Abort()

	if _, err := io.Copy(f, in); err != nil {
		return fault.Wrap(fault.Unavailable, err, "backup: copy the index")
	}

	if digest, _, err := digestFile(f.Name()); err != nil || digest != m.IndexDigest {
		return errors.Join(err, fault.New(fault.Unavailable, "backup: the index was changed while it was copied"))
	}

	err = f.Once(filepath.Join(data, indexFile))
	return fault.Wrap(fault.Unavailable, err, fmt.Sprintf("backup: finish %s", indexFile))
}
