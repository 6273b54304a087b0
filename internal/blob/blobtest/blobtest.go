// Package blobtest holds what every blob.Store must do.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/blob"
	"collimator/internal/fault"
)

// Run checks a store. open returns an empty one.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, f := range map[string]func(*testing.T, blob.Store){
		"what is committed can be read in ranges":     testRoundTrip,
		"nothing is visible before commit":            testInvisible,
		"an aborted blob leaves nothing":              testAbort,
		"committing twice keeps one":                  testTwice,
		"committing again renews the time":            testRenew,
		"a missing blob is not found":                 testMissing,
		"keys are digests and nothing else":           testKeys,
		"list is ordered and continues after a key":   testList,
		"delete removes and may be repeated":          testDelete,
		"concurrent commits of the same and others":   testConcurrent,
		"a cancelled caller commits nothing":          testCancelled,
		"a writer is used once":                       testWriterOnce,
		"an empty blob is a blob":                     testEmpty,
		"a blob can be read while it is open twice":   testOpenTwice,
		"a large blob in small writes stays in order": testLarge,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

// Key is the key of some bytes.
func Key(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Put stores bytes and returns their key.
func Put(t testing.TB, s blob.Store, b []byte) string {
	t.Helper()

	w, err := s.Create(context.Background())
	must(t, err)
	defer w.Abort()

	_, err = w.Write(b)
	must(t, err)

	must(t, w.Commit(context.Background(), Key(b)))
	return Key(b)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, s blob.Store, key string) []byte {
	t.Helper()

	o, err := s.Open(t.Context(), key)
	must(t, err)
	defer o.Close()

	b, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
	must(t, err)
	return b
}

func keys(t testing.TB, s blob.Store, after string) (out []string) {
	t.Helper()
	for info, err := range s.List(t.Context(), after) {
		must(t, err)
		out = append(out, info.Key)
	}
	return out
}

func testRoundTrip(t *testing.T, s blob.Store) {
	b := bytes.Repeat([]byte("0123456789"), 1000)
	key := Put(t, s, b)
	if !bytes.Equal(get(t, s, key), b) {
		t.Error("the bytes changed")
	}

	o, err := s.Open(t.Context(), key)
	must(t, err)
	defer o.Close()

	p := make([]byte, 5)
	if _, err := o.ReadAt(p, 9993); err != nil || string(p) != "34567" {
		t.Errorf("range is %q, %v", p, err)
	}

	if n, err := o.ReadAt(p, 9998); n != 2 || err != io.EOF {
		t.Errorf("range over the end: %d, %v", n, err)
	}

	info, err := s.Stat(t.Context(), key)
	if err != nil || info.Size != int64(len(b)) || info.Key != key || time.Since(info.Time).Abs() > time.Hour {
		t.Errorf("got %+v, %v", info, err)
	}
}

func testInvisible(t *testing.T, s blob.Store) {
	b := []byte("half")

	w, err := s.Create(t.Context())
	must(t, err)
	defer w.Abort()
	_, err = w.Write(b)
	must(t, err)

	if _, err := s.Stat(t.Context(), Key(b)); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("visible before commit: %v", err)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("listed before commit: %v", got)
	}
}

func testAbort(t *testing.T, s blob.Store) {
	w, err := s.Create(t.Context())
	must(t, err)
	_, err = w.Write([]byte("x"))
	must(t, err)

	must(t, w.Abort())
	must(t, w.Abort())

	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func testTwice(t *testing.T, s blob.Store) {
	b := []byte("same")
	first := Put(t, s, b)
	second := Put(t, s, b)
	if first != second || len(keys(t, s, "")) != 1 || !bytes.Equal(get(t, s, Key(b)), b) {
		t.Error("the second commit made a difference")
	}
}

func testRenew(t *testing.T, s blob.Store) {
	key := Put(t, s, []byte("same"))
	first, err := s.Stat(t.Context(), key)
	must(t, err)

	Put(t, s, []byte("same"))
	second, err := s.Stat(t.Context(), key)
	must(t, err)

	if second.Time.Before(first.Time) {
		t.Errorf("time went from %v to %v", first.Time, second.Time)
	}
}

func testMissing(t *testing.T, s blob.Store) {
	key := Key([]byte("nobody"))
	_, err := s.Open(t.Context(), key)
	if !errors.Is(err, blob.ErrNotFound) || fault.Of(err) != fault.NotFound {
		t.Errorf("open: %v", err)
	}

	if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("stat: %v", err)
	}
}

func testKeys(t *testing.T, s blob.Store) {
	good := Key([]byte("x"))
	for _, key := range []string{
		"", "..", "../../etc/passwd", good[:63], good + "0", strings.ToUpper(good), good[:62] + "/.", good[:63] + "\x00",
	} {
		w, err := s.Create(t.Context())
		must(t, err)
		if err := w.Commit(t.Context(), key); fault.Of(err) != fault.Invalid {
			t.Errorf("commit of %q: %v", key, err)
		}

		if _, err := s.Open(t.Context(), key); fault.Of(err) != fault.Invalid {
			t.Errorf("open of %q: %v", key, err)
		}
		if _, err := s.Stat(t.Context(), key); fault.Of(err) != fault.Invalid {
			t.Errorf("stat of %q: %v", key, err)
		}
		if err := s.Delete(t.Context(), key); fault.Of(err) != fault.Invalid {
			t.Errorf("delete of %q: %v", key, err)
		}
	}
}

func testList(t *testing.T, s blob.Store) {
	var want []string
	for i := range 60 {
		want = append(want, Put(t, s, fmt.Append(nil, i)))
	}

	slices.Sort(want)
	if got := keys(t, s, ""); !slices.Equal(got, want) {
		t.Errorf("got %d keys, want %d in order", len(got), len(want))
	}

	for _, i := range []int{0, 29, 58, 59} {
		if got := keys(t, s, want[i]); !slices.Equal(got, want[i+1:]) {
			t.Errorf("after key %d: got %d, want %d", i, len(got), len(want)-i-1)
		}
	}

	n := 0
	for range s.List(t.Context(), "") {
		n++
		if n == 3 {
			break
		}
	}
}

func testDelete(t *testing.T, s blob.Store) {
	key := Put(t, s, []byte("x"))
	must(t, s.Delete(t.Context(), key))
	must(t, s.Delete(t.Context(), key))

	if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}

	Put(t, s, []byte("x"))
	if got := get(t, s, key); string(got) != "x" {
		t.Errorf("after storing it again: %q", got)
	}
}

func testConcurrent(t *testing.T, s blob.Store) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 8 {
				Put(t, s, fmt.Append(nil, (i+j)%10))
			}
		})
	}

	wg.Wait()
	if n := len(keys(t, s, "")); n != 10 {
		t.Errorf("got %d blobs, want 10", n)
	}
}

func testCancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := s.Create(ctx)
	must(t, err)
	_, err = w.Write([]byte("x"))
	must(t, err)

	cancel()
	if err := w.Commit(ctx, Key([]byte("x"))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := keys(t, s, ""); len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func testWriterOnce(t *testing.T, s blob.Store) {
	w, err := s.Create(t.Context())
	must(t, err)
	must(t, w.Commit(t.Context(), Key(nil)))
	must(t, w.Abort())

	if err := w.Commit(t.Context(), Key(nil)); err == nil {
		t.Error("a second commit passed")
	}
	if n := len(keys(t, s, "")); n != 1 {
		t.Errorf("got %d blobs", n)
	}
}

func testEmpty(t *testing.T, s blob.Store) {
	if got := get(t, s, Put(t, s, nil)); len(got) != 0 {
		t.Errorf("got %d bytes", len(got))
	}
}

func testOpenTwice(t *testing.T, s blob.Store) {
	key := Put(t, s, []byte("abc"))
	a, err := s.Open(t.Context(), key)
	must(t, err)

	b, err := s.Open(t.Context(), key)
	must(t, err)
	must(t, a.Close())

	p := make([]byte, 3)
	if _, err := b.ReadAt(p, 0); err != nil && err != io.EOF || string(p) != "abc" {
		t.Errorf("got %q, %v", p, err)
	}
	must(t, b.Close())
}

func testLarge(t *testing.T, s blob.Store) {
	h := sha256.New()
	w, err := s.Create(t.Context())
	must(t, err)
	defer w.Abort()

	for i := range 5000 {
		p := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 100+i%7)
		h.Write(p)
		_, err := w.Write(p)
		must(t, err)
	}

	key := hex.EncodeToString(h.Sum(nil))
	must(t, w.Commit(t.Context(), key))
	if Key(get(t, s, key)) != key {
		t.Error("the bytes changed")
	}
}
