// Package scratch keeps bytes on the disk for as long as the process needs them: in files without
// a name, under keys that nobody else ever had. What is in one is gone with the process.
package scratch

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"sync/atomic"
)

// File is bytes that are written once, one behind the other, and read from anywhere. One
// goroutine writes; any number reads what is written already.
type File struct {
	file  *os.File
	block cipher.Block
	size  atomic.Int64
}

var (
	_ io.ReaderAt = (*File)(nil)
	_ io.Writer   = (*File)(nil)
)

// New makes an empty one in a directory. Close it in the end.
func New(dir string) (*File, error) {
	f, err := os.CreateTemp(dir, "scratch-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil { // what has no name is gone with the process
		return nil, errors.Join(err, f.Close())
	}

	var key [32]byte
	rand.Read(key[:]) // never returns an error (crypto/rand)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &File{file: f, block: block}, nil
}

// Size is how many bytes were written.
func (f *File) Size() int64 { return f.size.Load() }

// Write implements io.Writer. No place is written twice, so that no part of the key stream is used
// for two texts: a part that could not be written counts as written.
func (f *File) Write(p []byte) (int, error) {
	at := f.size.Load()
	sealed := make([]byte, len(p))
	f.keyStream(at).XORKeyStream(sealed, p)
	n, err := f.file.WriteAt(sealed, at)
	if err != nil {
		n = 0
	}
	f.size.Store(at + int64(len(p)))
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.file.ReadAt(p, off)
	f.keyStream(off).XORKeyStream(p[:n], p[:n])
	return n, err
}

// keyStream is the key stream from a place on (NIST SP 800-38A 6.5): the counter is the number of
// the block.
func (f *File) keyStream(at int64) cipher.Stream {
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(at)/aes.BlockSize)
	s := cipher.NewCTR(f.block, counter[:])
	var skipped [aes.BlockSize]byte
	s.XORKeyStream(skipped[:at%aes.BlockSize], skipped[:at%aes.BlockSize])
	return s
}

// Close gives the room on the disk back.
func (f *File) Close() error { return f.file.Close() }
