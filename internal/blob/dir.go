package blob

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"collimator/internal/fault"
)

// Dir keeps blobs as files of a directory: the blob 1a2b3c… is 1a/2/1a2b3c….
// It belongs to its owner alone. Several processes may use the same directory.
//
// A commit is one fsync of the file, a rename into place and one fsync of the
// directory, each by the goroutine that commits. Collecting commits to share
// one syncfs or one round of fsyncs was measured and is slower (526 kB, ext4,
// two cores: 813 against 745 commits a second alone, 1,313 against 885 with
// four, 1,312 against 897 with sixteen): the file system's journal already
// joins the commits that are under way together, and a syncfs waits for
// everybody else's dirty pages as well.
type Dir struct {
	root string
	temp *tempDir
	os   system

	mu    sync.Mutex
	known [4096]bool // fan-out directories this process has made sure of
}

var _ Store = (*Dir)(nil)

// system is what tests replace to run out of space.
type system struct {
	create func(name string) (file, error)
	rename func(from, to string) error
}

type file interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
	Name() string
}

func realSystem() system {
	return system{
		create: func(name string) (file, error) {
			return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		},
		rename: os.Rename,
	}
}

// OpenDir opens a directory, makes it when it is missing, and removes what
// processes that ended left unfinished. Close it to give its part back.
func OpenDir(root string) (*Dir, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, storeFault(err, "blob: make directory")
	}
	temp, err := openTemp(filepath.Join(root, "tmp"))
	if err != nil {
		return nil, storeFault(err, "blob: make temporary directory")
	}
	return &Dir{root: root, temp: temp, os: realSystem()}, nil
}

// Close removes what was begun and not committed. Writers must not be used
// afterwards.
func (d *Dir) Close() error { return d.temp.close() }

// Create implements Store.
func (d *Dir) Create(ctx context.Context) (Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.os.create(d.temp.next())
	if err != nil {
		return nil, storeFault(err, "blob: begin")
	}
	return &dirWriter{d: d, f: f}, nil
}

// Open implements Store.
func (d *Dir) Open(_ context.Context, key string) (Object, error) {
	if !ValidKey(key) {
		return nil, errKey
	}
	return openObject(d.path(key))
}

// Stat implements Store.
func (d *Dir) Stat(_ context.Context, key string) (Info, error) {
	if !ValidKey(key) {
		return Info{}, errKey
	}
	info, err := os.Stat(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return Info{}, ErrNotFound
	}
	if err != nil {
		return Info{}, storeFault(err, "blob: look up")
	}
	return Info{Key: key, Size: info.Size(), Time: info.ModTime()}, nil
}

// Delete implements Store.
func (d *Dir) Delete(_ context.Context, key string) error {
	if !ValidKey(key) {
		return errKey
	}
	err := os.Remove(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(filepath.Dir(d.path(key)))
	}
	return storeFault(err, "blob: delete")
}

// List implements Store. It reads one directory of the fan-out at a time.
func (d *Dir) List(ctx context.Context, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for i := range len(d.known) {
			dir := d.fan(i)
			if prefix := fanKey(i); len(after) >= 3 && prefix < after[:3] {
				continue
			}
			entries, err := os.ReadDir(dir)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Info{}, storeFault(err, "blob: list"))
				return
			}
			for _, e := range entries {
				if !ValidKey(e.Name()) || e.Name() <= after {
					continue
				}
				info, err := e.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					yield(Info{}, storeFault(err, "blob: list"))
					return
				}
				if !yield(Info{Key: e.Name(), Size: info.Size(), Time: info.ModTime()}, nil) {
					return
				}
			}
		}
	}
}

func (d *Dir) path(key string) string {
	return filepath.Join(d.root, key[:2], key[2:3], key)
}

// fanKey is the three digits of directory i of the fan-out.
func fanKey(i int) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[i>>8], digits[i>>4&15], digits[i&15]})
}

func (d *Dir) fan(i int) string {
	k := fanKey(i)
	return filepath.Join(d.root, k[:2], k[2:])
}

// ensure makes the directory of a key and makes its own entry durable, once
// for each process: another one may have made it without having got that far.
func (d *Dir) ensure(key string) (string, error) {
	i := unhex(key[0])<<8 | unhex(key[1])<<4 | unhex(key[2])
	dir := d.fan(i)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known[i] {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return "", err
	}
	if err := syncDir(d.root); err != nil {
		return "", err
	}
	d.known[i] = true
	return dir, nil
}

func unhex(c byte) int {
	if c <= '9' {
		return int(c - '0')
	}
	return int(c-'a') + 10
}

func syncDir(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type dirObject struct {
	*os.File
	size int64
}

// Size implements Object.
func (o *dirObject) Size() int64 { return o.size }

type dirWriter struct {
	d    *Dir
	f    file
	n    int64
	done bool
	err  error // of an earlier Write; Commit refuses
}

// Write implements io.Writer.
func (w *dirWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.f.Write(p)
	w.n += int64(n)
	w.err = storeFault(err, "blob: write")
	return n, w.err
}

// Commit implements Writer.
func (w *dirWriter) Commit(ctx context.Context, key string) error {
	if w.done {
		return fault.New(fault.Internal, "blob: writer is used up")
	}
	defer w.Abort()
	switch {
	case w.err != nil:
		return w.err
	case !ValidKey(key):
		return errKey
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return storeFault(w.commit(key), "blob: commit")
}

func (w *dirWriter) commit(key string) error {
	dir, err := w.d.ensure(key)
	if err != nil {
		return err
	}
	// What is there already is replaced: it may have been damaged since, and who
	// sends again must be able to mend it.
	path := w.d.path(key)
	_, missing := os.Stat(path)
	if err := w.f.Sync(); err != nil {
		return err
	}
	if err := w.f.Close(); err != nil {
		return err
	}
	if err := w.d.os.rename(w.f.Name(), path); err != nil {
		return err
	}
	w.done = true
	if err := syncDir(dir); err != nil {
		if missing != nil {
			// Whether it survives a power cut is unknown: it must not look stored.
			err = errors.Join(err, os.Remove(path))
		}
		return err
	}
	return nil
}

// Abort implements Writer.
func (w *dirWriter) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	w.f.Close() // may be closed already; what is in it is dropped
	return storeFault(os.Remove(w.f.Name()), "blob: drop")
}

// storeFault gives an error of the file system its kind. The names in it are
// ours: digests and random numbers.
func storeFault(err error, text string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.Wrap(fault.Unavailable, err, text+": the store is full")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.Unavailable, err, text+": the store cannot be written")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fault.Wrap(fault.Unavailable, err, text)
}
