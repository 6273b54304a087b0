package outbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/recovery"
)

// suffix ends the names of objects.
const suffix = ".age"

// roomStep is after how many bytes somebody looks whether there is room for more.
const roomStep = 16 << 20

// ErrFull refuses objects of a destination for which too much waits.
var ErrFull = fault.New(fault.Unavailable, "outbox: too much waits for this destination")

// ErrOther refuses another content under a SOP Instance UID that waits.
var ErrOther = fault.New(fault.Conflict, "outbox: another content waits under this SOP Instance UID")

// Writer takes the data set of an object. Commit or Abort it in the end; Abort after
// Commit does nothing. It is not safe for concurrent use.
type Writer struct {
	b      *Outbox
	item   Item
	file   *durable.File
	sealed io.WriteCloser
	sum    hash.Hash
	size   int64
	closed bool // by Reader
}

// Create begins an object; what of the item is known of its content is found by
// writing. It fails with fault.Unavailable where there is no room.
func (b *Outbox) Create(ctx context.Context, i Item) (*Writer, error) {
	if err := b.room(); err != nil {
		return nil, err
	}
	if err := b.DB.Read(ctx, func(tx *db.Tx) error { return b.quota(ctx, tx, i.Destination, 0) }); err != nil {
		return nil, err
	}

	f, err := durable.Create(b.Dir, 0o600)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "outbox: begin an object")
	}
	sealed, err := recovery.Seal(f, b.key.Public())
	if err == nil {
		i.Queued = b.Now()
		err = writeLabel(sealed, i)
	}
	if err != nil {
		f.Abort()
		return nil, fault.Wrap(fault.Unavailable, err, "outbox: begin an object")
	}
	return &Writer{b: b, item: i, file: f, sealed: sealed, sum: sha256.New()}, nil
}

func (b *Outbox) room() error {
	if b.Room == nil {
		return nil
	}
	return b.Room()
}

// quota fails where n more bytes would be more than may wait for a destination.
func (b *Outbox) quota(ctx context.Context, tx *db.Tx, destination string, n int64) error {
	var items, bytes int64
	err := tx.QueryRow(ctx, `SELECT items, bytes FROM outbox_volume WHERE destination = ?1`, destination).Scan(&items, &bytes)
	switch {
	case err != nil && fault.Of(err) != fault.NotFound:
		return failed(err, "look how much waits")
	case items >= b.Limits.Items || bytes+n > b.Limits.Bytes:
		return ErrFull
	}
	return nil
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	before := w.size
	w.size += int64(len(p))
	if before/roomStep != w.size/roomStep {
		if err := w.b.room(); err != nil {
			return 0, err
		}
	}
	w.sum.Write(p)
	n, err := w.sealed.Write(p)
	return n, fault.Wrap(fault.Unavailable, err, "outbox: write an object")
}

// Hash is that of what was written so far.
func (w *Writer) Hash() string { return hex.EncodeToString(w.sum.Sum(nil)) }

// Reader reads what was written, before it is dropped: it is not committed after that.
func (w *Writer) Reader() (io.ReadCloser, error) {
	if !w.closed {
		w.closed = true
		if err := w.sealed.Close(); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "outbox: write an object")
		}
	}
	return w.b.read(w.file.Name())
}

// Abort drops what was written.
func (w *Writer) Abort() { w.file.Abort() }

// Commit queues the object; it is durable when it returns nil. also runs in the same
// transaction, before: its error is Commit's, and nothing is queued. What waits
// already with the same content stays as it is; another one is ErrOther.
func (w *Writer) Commit(ctx context.Context, also func(context.Context, *db.Tx) error) error {
	defer w.Abort()
	if err := w.sealed.Close(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "outbox: write an object")
	}
	i := w.item
	i.Hash = w.Hash()
	i.Size = w.size
	i.file = newName()
	path := filepath.Join(w.b.Dir, i.file)
	if err := w.file.Once(path); err != nil {
		return fault.Wrap(fault.Unavailable, err, "outbox: keep an object")
	}

	queued := false
	var instead string // the file that it takes the place of
	err := w.b.DB.Write(ctx, func(tx *db.Tx) (err error) {
		queued = false
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		queued, instead, err = w.b.insert(ctx, tx, i)
		return err
	})
	if err != nil && queued {
		return errors.Join(err, w.b.removeUnnamed(ctx, i.file))
	}
	if !queued {
		instead = i.file
	}
	if instead != "" {
		err = errors.Join(err, removeFile(filepath.Join(w.b.Dir, instead)))
	}
	if queued {
		w.b.nudgeWay(i.Destination)
	}
	return err
}

// removeUnnamed removes a file of which nobody knows whether its row is there, where
// the index says that it is not. Where it says nothing the file stays: the next start looks.
func (b *Outbox) removeUnnamed(ctx context.Context, file string) error {
	ctx = context.WithoutCancel(ctx) // who sent it may be gone
	named := true
	err := b.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM outbox WHERE file = ?1)`, file).Scan(&named)
	})
	if err != nil || named {
		return nil
	}
	return removeFile(filepath.Join(b.Dir, file))
}

func newName() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:]) + suffix
}

// insert writes the row of an object; queued is false where the same waits already for
// the same target. instead is the file that is not needed any more then.
func (b *Outbox) insert(ctx context.Context, tx *db.Tx, i Item) (queued bool, instead string, err error) {
	before, err := Have(ctx, tx, i.Destination, i.SOPInstanceUID)
	switch {
	case err == nil && (before.Hash != i.Hash || before.TransferSyntax != i.TransferSyntax):
		return false, "", ErrOther
	case err == nil && (before.State == Aside || before.Target != i.Target):
		// The sender tries again, and so do we: the file may be lost, and the sender calls what is
		// the target now.
		_, err := tx.Exec(ctx, `UPDATE outbox SET state = ?2, file = ?3, target = ?4, tries = 0, broken = 0, due = 0, reason = '',
			transaction_uid = '', asked = 0 WHERE id = ?1`, before.ID, string(Waiting), i.file, i.Target)
		return err == nil, before.file, failed(err, "queue an object again")
	case err == nil:
		return false, "", nil
	case fault.Of(err) != fault.NotFound:
		return false, "", failed(err, "look what waits")
	}
	if err := b.quota(ctx, tx, i.Destination, i.Size); err != nil {
		return false, "", err
	}
	return true, "", b.row(ctx, tx, i)
}

func (b *Outbox) row(ctx context.Context, tx *db.Tx, i Item) error {
	_, err := tx.Exec(ctx, `INSERT INTO outbox (destination, target, study, uid, class, syntax, hash, size, file, patient, issuer, source,
		state, queued) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)`,
		i.Destination, i.Target, i.Study, i.SOPInstanceUID, i.SOPClassUID, i.TransferSyntax, i.Hash, i.Size, i.file, i.Patient,
		i.PatientIssuer, i.Source, string(Waiting), db.Millis(i.Queued))
	return failed(err, "queue an object")
}

// Open reads the data set of an object. What was changed on the disk ends it with an
// error.
func (b *Outbox) Open(i Item) (io.ReadCloser, error) {
	return b.read(filepath.Join(b.Dir, i.file))
}

func (b *Outbox) read(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errGone
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "outbox: open an object")
	}
	r, err := b.key.Open(f)
	if err == nil {
		_, err = readLabel(r)
	}
	if err != nil {
		return nil, errors.Join(damaged(err), f.Close())
	}
	return object{checked{r}, f}, nil
}

type object struct {
	io.Reader
	io.Closer
}

// errGone is the error of an object without a file, and errDamaged of one whose file
// cannot be read: both are set aside.
var (
	errGone    = fault.New(fault.NotFound, "outbox: its file is not here")
	errDamaged = errors.New("outbox: its file was changed or is sealed to another key")
)

func damaged(err error) error { return errors.Join(errDamaged, err) }

// checked marks the errors of what is read as those of a file that was changed.
type checked struct{ r io.Reader }

// Read implements io.Reader.
func (c checked) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF {
		err = damaged(err)
	}
	return n, err
}

func removeFile(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
