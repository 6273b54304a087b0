package blob

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"collimator/internal/durable"
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
	temp *durable.Scratch
	os   system

	// What this process has made sure of: that the names of the 256 directories
	// of the root, and of the 4,096 in these, survive a power cut.
	parents [256]atomic.Bool
	known   [4096]atomic.Bool
}

var _ Store = (*Dir)(nil)

// system is what tests replace to run out of space and to count what is synced.
type system struct {
	create       func(name string) (file, error)
	move         func(from, to string) error // syncs one directory
	directory    func(dir string) error      // syncs one directory for each that is missing, at least one
	subdirectory func(dir string) error      // syncs one directory
	sync         func(dir string) error
}

type file interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
	Name() string
}

func realSystem() system {
	return system{
		create:       func(name string) (file, error) { return durable.Exclusive(name) },
		move:         durable.Move,
		directory:    durable.Directory,
		subdirectory: durable.Subdirectory,
		sync:         durable.Sync,
	}
}

// OpenDir opens a directory, makes it when it is missing, and removes what
// processes that ended left unfinished. Close it to give its part back.
func OpenDir(root string) (*Dir, error) {
	if err := durable.Directory(root); err != nil {
		return nil, storeFault(err, "blob: make directory")
	}

	temp, err := durable.OpenScratch(filepath.Join(root, "tmp"))
	if err != nil {
		return nil, storeFault(err, "blob: make temporary directory")
	}

	return &Dir{root: root, temp: temp, os: realSystem()}, nil
}

// ReadDir opens a directory that is there to be read: nothing is made in it, so
// that it may be on a medium that cannot be written.
func ReadDir(root string) (*Dir, error) {
	info, err := os.Stat(root)
	if err == nil && !info.IsDir() {
		err = fs.ErrInvalid
	}
	if err != nil {
		return nil, storeFault(err, "blob: open directory")
	}

	return &Dir{root: root, os: realSystem()}, nil
}

// errRead is the answer to who stores into what was opened to be read.
var errRead = fault.New(fault.Unsupported, "blob: opened to be read only")

// Close removes what was begun and not committed. Writers must not be used
// afterwards.
func (d *Dir) Close() error {
	if d.temp == nil {
		return nil
	}

	return d.temp.Close()
}

// Create implements Store.
func (d *Dir) Create(ctx context.Context) (Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}

	if d.temp == nil {
		return nil, errRead
	}

	f, err := d.os.create(d.temp.Next())
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
	return storeFault(durable.Remove(d.path(key)), "blob: delete")
}

// List implements Store. It reads one directory of the fan-out at a time.
func (d *Dir) List(ctx context.Context, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		const branches = 16 // directories in each of the root
		for at := 0; at < len(d.known); at += branches {
			if len(after) >= 3 && fanKey(at+branches-1) < after[:3] {
				continue
			}

			// A small archive has few of the directories: one look for sixteen.
			if !d.parentMayExist(at) {
				continue
			}

			for i := at; i < at+branches; i++ {
				if len(after) >= 3 && fanKey(i) < after[:3] {
					continue
				}
				if !listDirectory(ctx, d.fan(i), after, yield) {
					return
				}
			}
		}
	}
}

// parentMayExist reports whether the directory of the root may be there in which
// directory i of the fan-out is.
func (d *Dir) parentMayExist(i int) bool {
	_, err := os.Stat(filepath.Dir(d.fan(i)))

	return !errors.Is(err, fs.ErrNotExist)
}

// listDirectory yields the blobs of one directory with a key greater than after,
// in order of key, and reports whether there is to be more. A directory that is
// not there has none, nor has a file that went meanwhile.
func listDirectory(ctx context.Context, dir, after string, yield func(Info, error) bool) (more bool) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		yield(Info{}, storeFault(err, "blob: list"))
		return false
	}

	for _, e := range entries {
		if !ValidKey(e.Name()) || e.Name() <= after {
			continue
		}

		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(Info{}, storeFault(err, "blob: list"))
			return false
		}

		if !yield(Info{Key: e.Name(), Size: info.Size(), Time: info.ModTime()}, nil) {
			return false
		}
	}

	return true
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

// Settle makes the names of all directories that are there durable, so that a
// commit into one of them need not: one fsync of the root and one of each of the
// 256 directories in it, once in the life of a server. An earlier process may
// have been killed between making a directory and its fsync. It may run while
// blobs are stored, and ends early when ctx does.
func (d *Dir) Settle(ctx context.Context) error {
	if err := d.os.sync(d.root); err != nil {
		return storeFault(err, "blob: settle")
	}

	for p := range len(d.parents) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.settle(p); err != nil {
			return storeFault(err, "blob: settle")
		}
	}
	return nil
}

// settle takes a directory of the root, whose own name is durable.
func (d *Dir) settle(p int) error {
	var there []int
	for i := p << 4; i < (p+1)<<4; i++ {
		if _, err := os.Stat(d.fan(i)); err == nil {
			there = append(there, i)
		}
	}

	if len(there) == 0 {
		return nil
	}

	// What was there before the fsync is durable after it; what comes meanwhile
	// is for whoever makes it.
	if err := d.os.sync(filepath.Dir(d.fan(there[0]))); err != nil {
		return err
	}

	d.parents[p].Store(true)
	for _, i := range there {
		d.known[i].Store(true)
	}
	return nil
}

// ensure makes the directory of a key and its name durable, once for each
// process: another one may have made it without having got that far. Nothing is
// locked: of two commits into the same new directory each syncs for itself.
func (d *Dir) ensure(key string) error {
	i := unhex(key[0])<<8 | unhex(key[1])<<4 | unhex(key[2])
	dir := d.fan(i)
	if d.known[i].Load() {
		return nil
	}

	if !d.parents[i>>4].Load() {
		if err := d.os.directory(filepath.Dir(dir)); err != nil {
			return err
		}
		d.parents[i>>4].Store(true)
	}

	if err := d.os.subdirectory(dir); err != nil {
		return err
	}
	d.known[i].Store(true)
	return nil
}

func unhex(c byte) int {
	if c <= '9' {
		return int(c - '0')
	}
	return int(c-'a') + 10
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
	if err := w.d.ensure(key); err != nil {
		return err
	}

	if err := w.f.Sync(); err != nil {
		return err
	}
	if err := w.f.Close(); err != nil {
		return err
	}

	// What is there already is replaced: it may have been damaged since, and who
	// sends again must be able to mend it.
	if err := w.d.os.move(w.f.Name(), w.d.path(key)); err != nil {
		return err
	}

	w.done = true
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
