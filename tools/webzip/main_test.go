package main

import (
	"bytes"
	"testing"
	"testing/fstest"
	"time"
)

func TestTheSameFilesGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	for to, at := range map[*bytes.Buffer]time.Time{&first: time.Unix(1, 0), &second: time.Now()} {
		files := fstest.MapFS{
			"b/app.js":   {Data: bytes.Repeat([]byte("let a\n"), 100), ModTime: at},
			"a.woff2":    {Data: []byte("font"), ModTime: at},
			"index.html": {Data: []byte("<!doctype html>"), ModTime: at},
		}
		if err := write(files, to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of the same files differ")
	}
}
