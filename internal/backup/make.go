package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/archive"
	"collimator/internal/archive/index"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/ledger"
	"collimator/internal/stream"
)

// Source is an archive that is copied. All but Public and Progress are needed.
type Source struct {
	Data    string // directory, for the keys
	DB      *db.DB
	Blobs   blob.Store
	Ledger  *ledger.Log
	Public  string // part of the recovery key; empty: without keys
	Program string // version
	Keep    int    // copies of the index, 1 or more
	Now     func() time.Time
	// Progress is told of each file that was looked at and the bytes of it that
	// had to be copied.
	Progress func(bytes int64)
}

// Result is what a backup did.
type Result struct {
	Manifest
	Copied      int64 `json:"copied"` // files that the backup did not have
	CopiedBytes int64 `json:"copiedBytes"`
	Removed     int64 `json:"removed"` // files that no copy names any more
	Kept        int   `json:"kept"`    // copies of the index
}

// attempts is how often the index is copied anew because files that its copy
// names were deleted before they were copied.
const attempts = 5

// Make copies what the backup lacks, whatever is stored and deleted meanwhile,
// and returns when it is durable. The index is copied in one step and then every
// file that its rows name, so that the copy is of one moment. Files that are
// missing or damaged are listed in the manifest, and the rest is copied all the
// same.
func (d *Dir) Make(ctx context.Context, s Source) (r Result, err error) {
	to, err := blob.OpenDir(filepath.Join(d.root, blobsDir))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()

	m := &making{dir: d, source: s, to: to, result: &r, settled: map[string]bool{}}

	// Most is copied before the index is, so that little time passes between its
	// copy and the last file.
	if err := m.files(ctx, s.DB, nil); err != nil {
		return r, err
	}
	for range attempts {
		again, err := m.attempt(ctx)
		if err != nil || !again {
			if err == nil {
				err = m.prune(ctx)
			}
			return r, err
		}
	}

	return r, fault.New(fault.Busy,
		"backup: images were deleted all the time while they were copied; try again when it is quieter")
}

// making is one run.
type making struct {
	dir     *Dir
	source  Source
	to      *blob.Dir
	result  *Result
	settled map[string]bool // files that were found damaged and told of
}

// attempt makes one copy of the index. again: a file that it names was deleted
// before it was copied; a new copy does not name it.
func (m *making) attempt(ctx context.Context) (again bool, err error) {
	made := m.source.Now().UTC()
	name, err := m.name(made)
	if err != nil {
		return false, err
	}
	if err := durable.Directory(m.dir.copyPath(name)); err != nil {
		return false, fault.Wrap(fault.Unavailable, err, "backup: make directory")
	}

	done := false
	defer func() {
		if !done {
			err = errors.Join(err, os.RemoveAll(m.dir.copyPath(name)))
		}
	}()

	path := m.dir.copyPath(name, indexFile)
	if err := m.source.DB.Copy(ctx, path); err != nil {
		return false, err
	}

	c, err := db.OpenCopy(ctx, path)
	if err != nil {
		return false, err
	}

	m.result.Manifest = Manifest{Format: Format, Name: name, Program: m.source.Program, Made: made, Lacking: []Lack{}}

	err = m.describe(ctx, c, path)
	var missing []Lack
	if err == nil {
		err = m.files(ctx, c, &missing)
	}
	if err := errors.Join(err, c.Close()); err != nil {
		return false, err
	}

	if again, err = m.judge(ctx, missing); err != nil || again {
		return again, err
	}

	if err := m.finish(name); err != nil {
		return false, err
	}
	done = true

	return false, nil
}

// nameForm makes names of times that sort like them.
const nameForm = "20060102T150405.000Z"

// name is the name of a new copy: its time, or just after that of the newest
// copy where a clock that was wrong made that later. What is newest must not
// depend on the clock.
func (m *making) name(made time.Time) (string, error) {
	copies, _, err := m.dir.Copies()
	if err != nil {
		return "", err
	}

	name := made.Format(nameForm)
	if len(copies) == 0 || copies[0].Name < name {
		return name, nil
	}

	last, err := time.Parse(nameForm, copies[0].Name)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "backup: the name of the newest copy is not a time")
	}

	return last.Add(time.Millisecond).Format(nameForm), nil
}

// describe reads what the manifest says of a copy.
func (m *making) describe(ctx context.Context, c *db.DB, path string) (err error) {
	man := &m.result.Manifest
	if man.IndexDigest, man.IndexSize, err = digestFile(path); err != nil {
		return err
	}
	if man.Schema, err = c.Schema(ctx); err != nil {
		return err
	}

	log := ledger.New(c, nil)
	err = c.Read(ctx, func(tx *db.Tx) (err error) {
		if man.IndexVersion, err = index.BuiltVersion(ctx, tx); err != nil {
			return err
		}
		man.Leaves, err = log.Size(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}

	man.Checkpoint, err = log.Checkpoint(ctx)
	if fault.Of(err) == fault.NotFound {
		return nil // nothing was recorded yet
	}

	return err
}

// files copies what the rows of an index name. With missing, those of a copy:
// they are counted, and what is not there is noted.
func (m *making) files(ctx context.Context, d *db.DB, missing *[]Lack) error {
	for f, err := range archive.Files(ctx, d) {
		if err != nil {
			return err
		}

		n, err := m.file(ctx, f)
		switch fault.Of(err) {
		case fault.None:
		case fault.NotFound, fault.Invalid:
			if missing != nil {
				*missing = append(*missing, Lack{Digest: f.Digest, What: fault.Text(err)})
			}
		default:
			return err
		}

		if missing != nil {
			m.result.Files++
			m.result.Bytes += f.Size
		}
		if m.source.Progress != nil {
			m.source.Progress(n)
		}
	}

	return nil
}

// file copies one file that the backup lacks, and holds it against its digest on
// the way. What is damaged is not copied.
func (m *making) file(ctx context.Context, f archive.File) (copied int64, err error) {
	if info, err := m.to.Stat(ctx, f.Digest); err == nil && info.Size == f.Size {
		return 0, nil
	}

	if m.settled[f.Digest] {
		return 0, errDamaged
	}

	if err := copyBlob(ctx, m.source.Blobs, m.to, f); err != nil {
		m.settled[f.Digest] = errors.Is(err, errDamaged)
		return 0, err
	}
	m.result.Copied++
	m.result.CopiedBytes += f.Size

	return f.Size, nil
}

// errDamaged is of a file whose content is not what its name says.
var errDamaged = fault.New(fault.Invalid, "backup: the file is damaged")

// copyBlob copies a file into a store where its content is what its name says.
func copyBlob(ctx context.Context, from, to blob.Store, f archive.File) error {
	o, err := from.Open(ctx, f.Digest)
	if err != nil {
		return err
	}
	defer o.Close()

	if o.Size() != f.Size {
		return errDamaged
	}

	w, err := to.Create(ctx)
	if err != nil {
		return err
	}
	defer w.Abort()

	h := sha256.New()
	in := stream.While(ctx, io.NewSectionReader(o, 0, o.Size()))
	_, err = io.CopyBuffer(io.MultiWriter(w, h), in, make([]byte, 256<<10))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case in.Err() != nil:
		// One bad place of a disk must not keep all else from being copied.
		return fault.Wrap(fault.Invalid, in.Err(), "backup: the file cannot be read")
	case err != nil:
		return fault.Wrap(fault.Unavailable, err, "backup: copy a file")
	}

	if hex.EncodeToString(h.Sum(nil)) != f.Digest {
		return errDamaged
	}

	return w.Commit(ctx, f.Digest)
}

// judge looks why files of a copy were not there. A deletion that was recorded
// since is not a loss, but the copy of the index names what is gone: it is made
// again.
func (m *making) judge(ctx context.Context, missing []Lack) (again bool, err error) {
	if len(missing) == 0 {
		return false, nil
	}

	deleted := map[string]bool{}
	err = m.source.Ledger.Since(ctx, m.result.Leaves, func(l ledger.Leaf) error {
		if l.Kind != archive.LeafKind {
			return nil
		}
		s, err := archive.ReadStatement(l.Data)
		if err != nil {
			return nil // 'verify' names it
		}
		if s.Event.Removes() {
			deleted[s.Digest] = true
		}
		return nil
	})
	if err != nil {
		return false, err
	}

	for _, f := range missing {
		if deleted[f.Digest] {
			return true, nil
		}
	}

	m.result.Lacking = missing

	return false, nil
}

// finish seals the keys and writes the manifest, which makes the copy one.
func (m *making) finish(name string) error {
	if m.source.Public != "" {
		sealed, err := seal(m.source.Data, m.dir.copyPath(name, keysFile), m.source.Public)
		if err != nil {
			return err
		}
		m.result.Sealed = sealed
	}

	b, err := json.MarshalIndent(m.result.Manifest, "", "  ")
	if err != nil {
		return err
	}

	err = durable.Whole(m.dir.copyPath(name, manifestFile), append(b, '\n'), 0o600)
	return fault.Wrap(fault.Unavailable, err, "backup: write manifest")
}

// digestFile reads a whole file.
func digestFile(path string) (digest string, n int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, fault.Wrap(fault.Unavailable, err, "backup: read a copy")
	}
	defer f.Close()

	h := sha256.New()
	if n, err = io.Copy(h, f); err != nil {
		return "", 0, fault.Wrap(fault.Unavailable, err, "backup: read a copy")
	}

	return hex.EncodeToString(h.Sum(nil)), n, nil
}
