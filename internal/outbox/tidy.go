package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/fault"
)

// withdrawn ends the name of a file whose row is about to be dropped: it is not queued
// again, whenever the process ends.
const withdrawn = ".withdrawn"

// labelMost is the longest label of a file, in bytes.
const labelMost = 64 << 10

// label stands in front of the data set in a file: with it the row is made anew where
// the index was lost, or came back from a backup.
type label struct {
	Destination, Target, Study, Class, Instance, Syntax, Patient, Issuer, Source string
	Queued                                                                       time.Time
}

func writeLabel(w io.Writer, i Item) error {
	text, err := json.Marshal(label{
		i.Destination, i.Target, i.Study, i.SOPClassUID, i.SOPInstanceUID, i.TransferSyntax, i.Patient, i.PatientIssuer, i.Source, i.Queued,
	})
	if err != nil {
		return err
	}
	if len(text) > labelMost {
		return fault.New(fault.TooLarge, "outbox: what is known of an object is too long")
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

func readLabel(r io.Reader) (i Item, err error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return i, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > labelMost {
		return i, errors.New("outbox: its label is too long")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return i, err
	}
	var l label
	err = json.Unmarshal(text, &l)
	return Item{
		Destination: l.Destination, Target: l.Target, Study: l.Study, SOPClassUID: l.Class, SOPInstanceUID: l.Instance,
		TransferSyntax: l.Syntax, Patient: l.Patient, PatientIssuer: l.Issuer, Source: l.Source, Queued: l.Queued,
	}, err
}

// withdraw takes a file its name, so that nothing queues it; bringBack gives it back.
func withdraw(path string) error {
	err := durable.Relocate(path, path+withdrawn)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fault.Wrap(fault.Unavailable, err, "outbox: withdraw an object")
}

func bringBack(path string) error {
	err := durable.Relocate(path+withdrawn, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return failed(err, "bring an object back")
}

// tidy brings rows and files together: a row without a file is set aside, a file without a
// row is queued. That one was acknowledged, perhaps: the index may be new, or of a backup.
func (b *Outbox) tidy(ctx context.Context) error {
	durable.Sweep(b.Dir, time.Minute)
	entries, err := os.ReadDir(b.Dir)
	if err != nil {
		return failed(err, "look at the objects")
	}
	there, gone := map[string]bool{}, map[string]bool{}
	for _, e := range entries {
		if was, ok := strings.CutSuffix(e.Name(), withdrawn); ok {
			gone[was] = true
		}
		there[e.Name()] = strings.HasSuffix(e.Name(), suffix)
	}

	lost, err := b.compare(ctx, there, gone)
	if err != nil {
		return failed(err, "look at what waits")
	}
	for name := range gone { // no row any more
		if err := removeFile(filepath.Join(b.Dir, name+withdrawn)); err != nil {
			return failed(err, "remove what was dropped")
		}
	}
	if err := b.adoptAll(ctx, there); err != nil {
		return err
	}
	return failed(b.DB.Write(ctx, func(tx *db.Tx) error {
		for _, id := range lost {
			_, err := tx.Exec(ctx, `UPDATE outbox SET state = 'aside', reason = ?2, due = 0, transaction_uid = '' WHERE id = ?1`,
				id, fault.Sentence(errGone))
			if err != nil {
				return err
			}
		}
		return nil
	}), "set aside what has no file")
}

// compare takes from there and gone the files that rows name, and lists rows that have none.
func (b *Outbox) compare(ctx context.Context, there, gone map[string]bool) (lost []int64, err error) {
	err = b.DB.Read(ctx, func(tx *db.Tx) error {
		return db.Each(ctx, tx, func(scan db.Scan) error {
			var id int64
			var file string
			if err := scan(&id, &file); err != nil {
				return err
			}
			switch {
			case gone[file]: // its row was not dropped after all
				delete(gone, file)
				return bringBack(filepath.Join(b.Dir, file))
			case !there[file]:
				lost = append(lost, id)
			}
			delete(there, file)
			return nil
		}, `SELECT id, file FROM outbox`)
	})
	return lost, err
}

// adoptAll queues files that no row names, in the order in which they came.
func (b *Outbox) adoptAll(ctx context.Context, there map[string]bool) error {
	var list []Item
	for name, ours := range there {
		if !ours {
			continue
		}
		i, err := b.identify(name)
		if err != nil {
			b.Log.Error("a file of the outbox belongs to nothing that waits and cannot be read; it is kept", "error", err)
			continue
		}
		list = append(list, i)
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, func(x, y Item) int { return x.Queued.Compare(y.Queued) })

	var same []Item
	err := b.DB.Write(ctx, func(tx *db.Tx) error {
		same = nil
		for _, i := range list {
			switch _, err := Have(ctx, tx, i.Destination, i.SOPInstanceUID); {
			case fault.Of(err) == fault.NotFound:
				if err := b.row(ctx, tx, i); err != nil {
					return err
				}
			case err != nil:
				return err
			default:
				same = append(same, i)
			}
		}
		return nil
	})
	if err != nil {
		return failed(err, "queue what has no row")
	}
	b.Log.Warn("files of the outbox without a row are queued", "count", len(list)-len(same))
	return b.removeSame(ctx, same)
}

// identify reads a file whole: its label, its size and its hash.
func (b *Outbox) identify(name string) (i Item, err error) {
	f, err := os.Open(filepath.Join(b.Dir, name))
	if err != nil {
		return i, fmt.Errorf("outbox: open an object: %w", err)
	}
	defer f.Close()
	r, err := b.key.Open(f)
	if err != nil {
		return i, damaged(err)
	}
	if i, err = readLabel(r); err != nil {
		return i, damaged(err)
	}
	sum := sha256.New()
	if i.Size, err = io.Copy(sum, r); err != nil {
		return i, damaged(err)
	}
	i.Hash = hex.EncodeToString(sum.Sum(nil))
	i.file = name
	return i, nil
}

// removeSame removes files of which a row has another one with the same content. Another
// content stays, for somebody to look.
func (b *Outbox) removeSame(ctx context.Context, list []Item) error {
	for _, i := range list {
		var old Item
		err := b.DB.Read(ctx, func(tx *db.Tx) (err error) {
			old, err = Have(ctx, tx, i.Destination, i.SOPInstanceUID)
			return err
		})
		if err != nil || old.Hash != i.Hash || old.TransferSyntax != i.TransferSyntax {
			continue
		}
		if _, err := os.Stat(filepath.Join(b.Dir, old.file)); err != nil {
			continue // the row came back from a backup; its own file is gone
		}
		if err := removeFile(filepath.Join(b.Dir, i.file)); err != nil {
			return failed(err, "remove what waits twice")
		}
	}
	return nil
}
