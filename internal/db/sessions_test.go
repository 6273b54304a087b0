package db

import (
	"path/filepath"
	"testing"
)

func TestOneReaderAfterTheOtherOpensOneConnection(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()

	for range 10 {
		if err := d.Read(t.Context(), func(*Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.readers.used); n != 1 {
		t.Errorf("%d connections were used, want 1", n)
	}
}

func TestReadersAtOnceHaveAConnectionEach(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db"), Readers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()

	err = d.Read(t.Context(), func(*Tx) error {
		return d.Read(t.Context(), func(*Tx) error { return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(d.readers.used); n != 2 {
		t.Errorf("%d connections were used, want 2", n)
	}
}
