package pacs

import (
	"errors"
	"io"
	"testing"
)

type closeCounter int

func (c *closeCounter) Close() error { *c++; return nil }

func TestPanicOfAConversionFailsThatReaderAlone(t *testing.T) {
	t.Parallel()
	var closed closeCounter
	r := startConversion(&closed, func(w io.Writer) error {
		w.Write([]byte("begin"))
		panic("ZZPHI")
	})
	b, err := io.ReadAll(r)
	if !errors.Is(err, errConversion) || string(b) != "begin" {
		t.Errorf("read %q, %v", b, err)
	}
	if err := r.Close(); err != nil || closed != 1 {
		t.Errorf("closed %d times: %v", closed, err)
	}
}

func TestConversionEndsWhenItsReaderIsClosed(t *testing.T) {
	t.Parallel()
	var closed closeCounter
	ended := make(chan error, 1)
	r := startConversion(&closed, func(w io.Writer) error {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1024))
		}
		ended <- err
		return err
	})
	if err := r.Close(); err != nil || closed != 1 {
		t.Errorf("closed %d times: %v", closed, err)
	}
	if err := <-ended; !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}
