package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"collimator/internal/fault"
)

const keyX = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" // of "x"

func openTest(t testing.TB, root string) *Dir {
	t.Helper()
	d, err := OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// files counts what stands below a directory besides lock files.
func files(t *testing.T, root string) (n int) {
	t.Helper()
	err := filepath.WalkDir(root, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != "lock" {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// failing is a file whose operations return an error from the given call on.
type failing struct {
	file
	write, sync error
}

func (f failing) Write(p []byte) (int, error) {
	if f.write != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, &fs.PathError{Op: "write", Path: "x", Err: f.write}
	}
	return f.file.Write(p)
}

func (f failing) Sync() error {
	if f.sync != nil {
		return f.sync
	}
	return f.file.Sync()
}

func TestFullOrReadOnlyStoreIsUnavailableAndLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                        string
		create, write, sync, rename error
	}{
		{name: "no space to begin", create: syscall.ENOSPC},
		{name: "read-only", create: syscall.EROFS},
		{name: "no space to write", write: syscall.ENOSPC},
		{name: "quota", write: syscall.EDQUOT},
		{name: "no space to flush", sync: syscall.ENOSPC},
		{name: "the disk breaks", sync: syscall.EIO},
		{name: "no space for the name", rename: syscall.ENOSPC},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			d := openTest(t, root)
			real := d.os
			d.os.create = func(name string) (file, error) {
				if c.create != nil {
					return nil, c.create
				}
				f, err := real.create(name)
				return failing{f, c.write, c.sync}, err
			}
			d.os.move = func(from, to string) error {
				if c.rename != nil {
					return c.rename
				}
				return real.move(from, to)
			}
			if err := put(d, []byte("x"), keyX); fault.Of(err) != fault.Unavailable {
				t.Errorf("got %v (%v), want unavailable", fault.Of(err), err)
			}
			if n := files(t, root); n != 0 {
				t.Errorf("%d files were left", n)
			}
			d.os = real
			if err := put(d, []byte("x"), keyX); err != nil {
				t.Errorf("once there is room again: %v", err)
			}
		})
	}
}

func put(d *Dir, b []byte, key string) error {
	w, err := d.Create(context.Background())
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(b); err != nil {
		// What a caller does that forgets to look.
		if err := w.Commit(context.Background(), key); err == nil {
			return errors.New("commit after a broken write passed")
		}
		return err
	}
	return w.Commit(context.Background(), key)
}

func TestStartRemovesWhatADeadProcessLeftAndNothingElse(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	alive := openTest(t, root)
	w, err := alive.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(root, "tmp", "DEAD")
	fresh := filepath.Join(root, "tmp", "FRESH")
	for _, dir := range []string{dead, fresh} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"lock", "1", "2"} {
		if err := os.WriteFile(filepath.Join(dead, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openTest(t, root)
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what the dead process left is still there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("the directory of a process that is starting was removed: %v", err)
	}
	if _, err := w.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := w.Commit(t.Context(), keyX); err != nil {
		t.Errorf("the living process lost its file: %v", err)
	}
}

func TestDamagedBlobOfAnotherSizeIsReplaced(t *testing.T) {
	t.Parallel()
	d := openTest(t, t.TempDir())
	for range 2 {
		if err := put(d, []byte("x"), keyX); err != nil {
			t.Fatal(err)
		}
		info, err := d.Stat(t.Context(), keyX)
		if err != nil || info.Size != 1 {
			t.Fatalf("got %+v, %v", info, err)
		}
		if err := os.Truncate(d.path(keyX), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// Sent again, a file is mended also where only its content has changed.
func TestDamagedBlobOfTheSameSizeIsReplaced(t *testing.T) {
	t.Parallel()
	d := openTest(t, t.TempDir())
	for range 2 {
		if err := put(d, []byte("x"), keyX); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(d.path(keyX))
		if err != nil || string(b) != "x" {
			t.Fatalf("got %q, %v", b, err)
		}
		if err := os.WriteFile(d.path(keyX), []byte("y"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesBelongToTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "blobs")
	d := openTest(t, root)
	if err := put(d, []byte("x"), keyX); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkCommit stores 526 kB, durably, one and four at a time.
func BenchmarkCommit(b *testing.B) {
	data := make([]byte, 526_000)
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("concurrent=%d", n), func(b *testing.B) {
			d := openTest(b, b.TempDir())
			b.SetBytes(int64(len(data)))
			b.SetParallelism((n + 1) / 2) // of GOMAXPROCS
			var i atomic.Uint64
			store := func() {
				key := fmt.Sprintf("%016x%048x", i.Add(1)*0x9e3779b97f4a7c15, 0)
				if err := put(d, data, key); err != nil {
					b.Fatal(err)
				}
			}
			if n == 1 {
				for b.Loop() {
					store()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					store()
				}
			})
		})
	}
}

// counting is a file whose fsyncs are counted.
type counting struct {
	file
	n *atomic.Int64
}

func (c counting) Sync() error {
	c.n.Add(1)
	return c.file.Sync()
}

// count makes every fsync of a store count.
func count(d *Dir) *atomic.Int64 {
	n, real := &atomic.Int64{}, d.os
	d.os.create = func(name string) (file, error) {
		f, err := real.create(name)
		return counting{f, n}, err
	}
	d.os.move = func(from, to string) error {
		n.Add(1)
		return real.move(from, to)
	}
	one := func(f func(string) error) func(string) error {
		return func(dir string) error {
			n.Add(1)
			return f(dir)
		}
	}
	d.os.directory, d.os.subdirectory, d.os.sync = one(real.directory), one(real.subdirectory), one(real.sync)
	return n
}

// putMany stores n blobs with keys spread over the whole fan-out. What is in
// them does not matter here.
func putMany(t *testing.T, d *Dir, n int) {
	t.Helper()
	for i := range n {
		if err := put(d, []byte("x"), fmt.Sprintf("%03x%061x", i*17%4096, i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStoreInUseHasTwoFsyncAnImageAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	putMany(t, openTest(t, root), 600)
	d := openTest(t, root)
	n := count(d)
	if err := d.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.Load() > 257 {
		t.Errorf("the start took %d fsync, want 257 or fewer", n.Load())
	}
	n.Store(0)
	putMany(t, d, 600)
	if n.Load() != 2*600 {
		t.Errorf("600 images took %d fsync, want 1200", n.Load())
	}
}

func TestSlowFsyncOfADirectoryHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	d := openTest(t, t.TempDir())
	real, entered, open := d.os, make(chan struct{}), make(chan struct{})
	d.os.subdirectory = func(dir string) error {
		if filepath.Base(filepath.Dir(dir)) == "00" {
			close(entered)
			<-open
		}
		return real.subdirectory(dir)
	}
	slow := make(chan error)
	go func() { slow <- put(d, []byte("x"), fmt.Sprintf("%064x", 1)) }()
	<-entered
	if err := put(d, []byte("x"), keyX); err != nil {
		t.Error(err)
	}
	close(open)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}
