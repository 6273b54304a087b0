package db

import (
	"errors"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// A write that finds no room loses nothing: SQLite takes the transaction back,
// or repeats the checkpoint, if it is told that the disk is full. The driver
// does not recognise that in what os.File says, and calls it a failure of the
// disk; one in a checkpoint ends the use of the database (checkpoint.go). So its
// files are opened through roomVFS, which says what it is.

// roomName is the name by which connections ask for it.
const roomName = "room"

type roomVFS struct{ vfs.VFSFilename }

// registerRoom may be called again; the driver keeps one of each name.
func registerRoom() {
	if system, ok := vfs.Find("").(vfs.VFSFilename); ok {
		vfs.Register(roomName, roomVFS{system})
	}
}

// OpenFilename opens a file of the operating system.
func (v roomVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := v.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, err
	}

	if f, ok := f.(systemFile); ok {
		return roomFile{f}, flags, nil
	}

	return f, flags, nil
}

// systemFile is what the driver's files can do of which SQLite makes use here.
type systemFile interface {
	vfs.FileLockState
	vfs.FileHasMoved
	vfs.FileSizeHint
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSharedMemory
}

type roomFile struct{ systemFile }

// WriteAt says FULL where there is no room on the disk or in the quota.
func (f roomFile) WriteAt(p []byte, offset int64) (int, error) {
	n, err := f.systemFile.WriteAt(p, offset)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return n, sqlite3.FULL
	}

	return n, err
}

// DeviceCharacteristics leaves out atomic writes of many pages, which need
// methods that are not passed on; a write-ahead log has no use for them.
func (f roomFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.systemFile.DeviceCharacteristics() &^ vfs.IOCAP_BATCH_ATOMIC
}
