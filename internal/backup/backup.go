// Package backup copies an archive to another place while it works, and brings
// it back. A backup is a directory: images under their digests, each once, and
// copies of the index, each with the keys of the archive sealed to its recovery
// key and a manifest that is written last. A directory without a manifest is not a copy.
//
// It covers what a data directory holds. It decides about nobody, and does not
// know where the directory lies: another disk, a share, removable storage.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// Format is the version of the layout.
const Format = 1

// Names in the directory of a backup.
const (
	markFile     = "collimator-backup" // says that the directory is one
	lockFile     = "lock"
	blobsDir     = "blobs"
	copiesDir    = "copies"
	indexFile    = "index.db"
	keysFile     = "keys.age"
	manifestFile = "manifest.json"
)

// Manifest describes one copy of the index, and what belongs to it.
type Manifest struct {
	Format       int       `json:"format"`
	Name         string    `json:"name"` // of the copy
	Program      string    `json:"program"`
	Made         time.Time `json:"made"`
	Schema       int       `json:"schema"`       // of the index
	IndexVersion int       `json:"indexVersion"` // rules by which its rows were made
	IndexSize    int64     `json:"indexBytes"`
	IndexDigest  string    `json:"indexSHA256"`
	Leaves       int64     `json:"leaves"`     // of the ledger
	Checkpoint   string    `json:"checkpoint"` // signed; empty for an empty ledger
	Files        int64     `json:"files"`      // that the rows name
	Bytes        int64     `json:"bytes"`
	Sealed       *Sealed   `json:"sealed,omitempty"` // nil: without keys
	Lacking      []Lack    `json:"lacking"`          // files that were not there, or damaged, when the copy was made
}

// Sealed is what belongs to a copy and only the recovery key opens.
type Sealed struct {
	Public string `json:"public"` // part of the recovery key
	Digest string `json:"sha256"`
}

// Lack is a file that the rows name and the backup has not.
type Lack struct {
	Digest string `json:"sha256"`
	What   string `json:"what"`
}

// Dir is a backup that is open.
type Dir struct {
	root string
	lock *os.File // nil: opened to be read
}

// Create opens a directory to make a backup in, which is empty, a backup
// already, or not there. One process at a time.
func Create(root string) (*Dir, error) {
	if err := durable.Directory(root); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "backup: make directory")
	}

	mark := filepath.Join(root, markFile)
	if _, err := os.Stat(mark); errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(root)
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "backup: look into the directory")
		}
		if len(entries) > 0 && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == lockFile }) {
			return nil, fault.Newf(fault.Invalid,
				"backup: %s is not empty and holds no backup; name another directory", root)
		}
	}

	lock, err := durable.Append(filepath.Join(root, lockFile))
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "backup: lock the directory")
	}
	if err := durable.Lock(lock); err != nil {
		return nil, errors.Join(fault.Newf(fault.Busy, "backup: another backup to %s is under way", root), lock.Close())
	}

	d := &Dir{root: root, lock: lock}
	for _, step := range []func() error{
		func() error { return durable.Whole(mark, fmt.Appendf(nil, "%d\n", Format), 0o600) },
		func() error { return durable.Directory(filepath.Join(root, copiesDir)) },
		d.sweep,
	} {
		if err := step(); err != nil {
			return nil, errors.Join(fault.Wrap(fault.Unavailable, err, "backup: begin"), lock.Close())
		}
	}

	return d, nil
}

// OpenDir opens a backup to be read.
func OpenDir(root string) (*Dir, error) {
	b, err := os.ReadFile(filepath.Join(root, markFile))
	if err != nil {
		return nil, fault.Wrap(fault.NotFound, err, fmt.Sprintf("backup: %s holds no backup", root))
	}
	if strings.TrimSpace(string(b)) != fmt.Sprint(Format) {
		return nil, fault.Newf(fault.Unsupported, "backup: %s has another form than this program knows (%d)", root, Format)
	}

	return &Dir{root: root}, nil
}

// Close lets the next process in.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}

	return d.lock.Close()
}

// sweep removes copies that were cut off: without a manifest nothing belongs to
// them.
func (d *Dir) sweep() error {
	_, torn, err := d.Copies()
	for _, name := range torn {
		err = errors.Join(err, os.RemoveAll(d.copyPath(name)))
	}

	return err
}

func (d *Dir) copyPath(name string, elements ...string) string {
	return filepath.Join(append([]string{d.root, copiesDir, name}, elements...)...)
}

// Copies are the copies of the index, the newest first, and the names of those
// that are torn: they have no manifest that can be read.
func (d *Dir) Copies() (whole []Manifest, torn []string, err error) {
	entries, err := os.ReadDir(filepath.Join(d.root, copiesDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.Unavailable, err, "backup: list copies")
	}

	for _, e := range entries {
		m, err := d.manifest(e.Name())
		if fault.Of(err) == fault.Unavailable {
			return nil, nil, err
		}
		if err != nil {
			torn = append(torn, e.Name())
			continue
		}
		whole = append(whole, m)
	}
	slices.Reverse(whole) // names are times, and sort like them

	return whole, torn, nil
}

func (d *Dir) manifest(name string) (m Manifest, err error) {
	b, err := os.ReadFile(d.copyPath(name, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fault.Wrap(fault.NotFound, err, "backup: the copy has no manifest")
	}
	if err != nil {
		return m, fault.Wrap(fault.Unavailable, err, "backup: read manifest")
	}
	if err := json.Unmarshal(b, &m); err != nil || m.Name != name {
		return m, fault.New(fault.Invalid, "backup: the manifest cannot be read, or is of another copy")
	}

	return m, nil
}
