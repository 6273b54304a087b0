// Package blob stores bytes under the SHA-256 of their content. What is stored
// never changes: a key is written once, read in ranges, and deleted. The
// package knows nothing of what the bytes mean and takes no name from outside.
//
// Store is narrow on purpose: an object store with put-if-absent can do all of
// it. Nothing is visible under its key before Commit has made it durable, and
// nothing can be renamed or appended to.
package blob

import (
	"context"
	"io"
	"iter"
	"time"

	"collimator/internal/fault"
)

// KeyLength is the number of characters of a key: SHA-256 in lower case hex.
const KeyLength = 64

// ErrNotFound says that no blob has the key. Its kind is fault.NotFound.
var ErrNotFound = fault.New(fault.NotFound, "blob: no such blob")

// Store keeps blobs. It is safe for concurrent use.
type Store interface {
	// Create begins a blob. Its bytes are not visible before Commit.
	Create(ctx context.Context) (Writer, error)
	// Open opens a blob for reading, or returns ErrNotFound. A blob that is
	// deleted while it is open may or may not stay readable.
	Open(ctx context.Context, key string) (Object, error)
	// Stat describes a blob, or returns ErrNotFound.
	Stat(ctx context.Context, key string) (Info, error)
	// Delete removes a blob. One that is not there is no error.
	Delete(ctx context.Context, key string) error
	// List yields the blobs with a key greater than after, in order of key. It
	// ends after the first error. What is committed or deleted meanwhile may or
	// may not be seen.
	List(ctx context.Context, after string) iter.Seq2[Info, error]
	// Aside is where blobs are put that must be neither shown nor removed.
	Aside() Aside
}

// Writer takes the bytes of a blob. It is not safe for concurrent use. One of
// Commit and Abort must be called; Abort after Commit does nothing, so that it
// can be deferred.
type Writer interface {
	io.Writer
	// Commit stores the bytes under their SHA-256, which the caller computed,
	// and returns when they are durable. They take the place of what is there
	// under the key, which may have been damaged since, and the blob counts as
	// new: its time is now. After an error a blob that was not there is not there.
	Commit(ctx context.Context, key string) error
	// Abort drops the bytes.
	Abort() error
}

// Object is an open blob. ReadAt is safe for concurrent use.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// Info describes a blob.
type Info struct {
	Key  string
	Size int64     // bytes
	Time time.Time // of the last Commit under the key
}

// ValidKey reports a key: 64 digits of lower case hex.
func ValidKey(key string) bool {
	if len(key) != KeyLength {
		return false
	}
	for i := range len(key) {
		if c := key[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

var errKey = fault.New(fault.Invalid, "blob: key is not a SHA-256 in lower case hex")
