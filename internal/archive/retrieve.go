package archive

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"iter"
	"slices"

	"collimator/dicom"
	"collimator/internal/archive/index"
	"collimator/internal/blob"
	"collimator/internal/budget"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// RetrieveQuery names instances by unique keys (PS3.4 C.4.2.1.4): see
// index.RetrieveQuery.
type RetrieveQuery = index.RetrieveQuery

// pageSize is how many rows are read at a time. Between pages no transaction
// is open, so a slow peer holds nothing up.
const pageSize = 256

// ErrChanged: an instance that was there when a retrieval began is there no
// longer, or is no longer to be seen by the caller. What was yielded before it
// is not all that was asked for.
var ErrChanged = fault.New(fault.Unavailable, "archive: what was asked for changed meanwhile; ask again")

// ErrSeveralPatients: a Patient ID without its issuer is that of several patients.
var ErrSeveralPatients = fault.New(fault.Invalid, "archive: several patients have that Patient ID; name the issuer too")

// Retrieve yields the instances a query names, series by series in order of
// Instance Number. They are those of one moment, the start: where one of them
// is deleted, gives way to another or leaves the scope before it is yielded,
// the error is ErrChanged. Unknown UIDs yield nothing. It ends after the first
// error.
func (a *Archive) Retrieve(ctx context.Context, q RetrieveQuery) iter.Seq2[InstanceRef, error] {
	return func(yield func(InstanceRef, error) bool) {
		rows, err := a.snapshot(ctx, q)
		if err != nil {
			yield(InstanceRef{}, err)
			return
		}

		for page := range slices.Chunk(rows, pageSize) {
			refs, err := a.retrievePage(ctx, q.Scope, page)
			if err != nil {
				yield(InstanceRef{}, err)
				return
			}
			for _, ref := range refs {
				if !yield(ref, nil) {
					return
				}
			}
		}
	}
}

// snapshot lists the rows of the instances a query names, in their order, as
// they are at one moment. A row's number is never used again, so it means the
// same instance for ever.
//
// A Patient ID alone is refused where several issuers gave it out (PS3.3 C.2.2):
// it names several patients. What the caller may not see does not count.
func (a *Archive) snapshot(ctx context.Context, q RetrieveQuery) (list []int64, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		patients, err := q.Patients(ctx, tx)
		if err == nil && patients > 1 {
			err = ErrSeveralPatients
		}
		if err != nil {
			return err
		}

		list, err = q.Rows(ctx, tx)

		return err
	})

	return list, err
}

// retrievePage reads some rows of a snapshot, in their order. The scope is
// applied again: what the caller may see can have changed with the rows.
func (a *Archive) retrievePage(ctx context.Context, scope Scope, ids []int64) ([]InstanceRef, error) {
	place := make(map[int64]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	refs := make([]InstanceRef, len(ids))
	found := 0

	err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
		return index.EachRef(ctx, tx, ids, func(id int64, ref InstanceRef) error {
			if !scope.Holds(ref.StudyUID) {
				return ErrChanged
			}
			refs[place[id]] = ref
			found++

			return nil
		})
	})
	if err == nil && found < len(ids) {
		err = ErrChanged
	}

	return refs, err
}

// Object is the file of an instance, open for reading: preamble, meta
// information, and from DataSetOffset on the data set in TransferSyntaxUID.
type Object struct {
	blob.Object
	DataSetOffset     int64
	TransferSyntaxUID string
}

// DataSet reads the bytes of the data set.
func (o *Object) DataSet() io.Reader {
	return io.NewSectionReader(o, o.DataSetOffset, o.Size()-o.DataSetOffset)
}

// Open opens the file of an instance.
func (a *Archive) Open(ctx context.Context, ref InstanceRef) (*Object, error) {
	o, err := a.o.Blobs.Open(ctx, ref.Digest)
	if err != nil {
		return nil, err
	}
	if o.Size() != ref.Size {
		return nil, errors.Join(fault.New(fault.Internal, "archive: file is damaged: its size is not that of the index"), o.Close())
	}
	return &Object{Object: o, DataSetOffset: ref.DataSetOffset, TransferSyntaxUID: ref.TransferSyntaxUID}, nil
}

// Instance finds an instance by its UID; fault.NotFound if there is none in
// the scope.
func (a *Archive) Instance(ctx context.Context, sopInstanceUID string, scope Scope) (ref InstanceRef, err error) {
	for ref, err = range a.Retrieve(ctx, RetrieveQuery{SOPInstanceUIDs: []string{sopInstanceUID}, Scope: scope}) {
		return ref, err
	}
	return ref, fault.New(fault.NotFound, "archive: no such instance")
}

// Header is an instance and its data set without the values longer than
// 4 KiB, which are read from the file when they are opened.
type Header struct {
	Instance InstanceRef
	DataSet  *dicom.DataSet
}

// Headers yields the headers of the instances a query names, in the order of
// Retrieve. They come from the index; no file is opened unless a value that
// was left out is. It ends after the first error.
func (a *Archive) Headers(ctx context.Context, q RetrieveQuery) iter.Seq2[Header, error] {
	return func(yield func(Header, error) bool) {
		var page []InstanceRef
		flush := func() bool {
			ok := a.headers(ctx, page, yield)
			page = page[:0]
			return ok
		}
		for ref, err := range a.Retrieve(ctx, q) {
			if err != nil {
				yield(Header{}, err)
				return
			}
			if page = append(page, ref); len(page) == headerPage && !flush() {
				return
			}
		}
		flush()
	}
}

// headerPage is how many stored headers are read from the index together. They
// are decoded one at a time.
const headerPage = 32

// headers gives the headers of a page; false when the caller has enough, or
// after an error.
func (a *Archive) headers(ctx context.Context, refs []InstanceRef, yield func(Header, error) bool) bool {
	stored, err := a.storedHeaders(ctx, refs)
	if err != nil {
		yield(Header{}, err)
		return false
	}

	for i, ref := range refs {
		// What a header takes is given back before the next one is decoded. A
		// single one is worked with until the request is over.
		work := ctx
		var piece *budget.Account
		if account := budget.From(ctx); account != nil && len(refs) > 1 {
			piece = account.Piece()
			work = budget.With(ctx, piece)
		}

		ds, err := a.header(work, ref, stored[i].data, stored[i].assumed.String)
		if err != nil {
			piece.Close()
			yield(Header{}, err)
			return false
		}

		more := yield(Header{ref, ds}, nil)
		piece.Close()
		if !more {
			return false
		}
	}
	return true
}

// storedHeader is what the index has of a header.
type storedHeader struct {
	data    []byte
	assumed sql.NullString
}

func (a *Archive) storedHeaders(ctx context.Context, refs []InstanceRef) ([]storedHeader, error) {
	list := make([]storedHeader, len(refs))
	err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
		for i, ref := range refs {
			// The header must be that of the file.
			err := tx.QueryRow(ctx, `SELECT d.data, NULLIF(i.character_set, '') FROM instance i LEFT JOIN instance_data d ON d.id = i.id
				WHERE i.uid = ?1 AND i.digest = ?2`, ref.SOPInstanceUID, ref.Digest).Scan(&list[i].data, &list[i].assumed)
			if fault.Of(err) == fault.NotFound {
				return ErrChanged
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// header reads a stored header, or the file where there is none. assumed is the
// character set that counts where the data set declares none.
func (a *Archive) header(ctx context.Context, ref InstanceRef, data []byte, assumed string) (ds *dicom.DataSet, err error) {
	ts, _ := dicom.LookupTransferSyntax(ref.TransferSyntaxUID)
	file := &lazyFile{ctx: ctx, a: a, ref: ref}
	if data != nil {
		ds, err = unpackHeader(budget.From(ctx), data, ts, file, ref.DataSetOffset)
	} else {
		ds, err = a.headerOfFile(ctx, ref, file)
	}
	if err != nil {
		return nil, err
	}
	assume(ds, index.SplitValues(assumed))

	return ds, nil
}

func (a *Archive) headerOfFile(ctx context.Context, ref InstanceRef, source io.ReaderAt) (*dicom.DataSet, error) {
	o, err := a.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer o.Close()

	return dicom.Decode(o.DataSet(), dicom.DecodeOptions{
		Account:        budget.From(ctx),
		TransferSyntax: ref.TransferSyntaxUID,
		BulkThreshold:  bulkThreshold,
		Limits:         a.dicomLimits(),
		Source:         source,
		Base:           ref.DataSetOffset,
	})
}

// lazyFile opens a file for each read: few values of few headers are ever
// opened, and nobody has to close it.
type lazyFile struct {
	ctx context.Context // of the call that asked for the header
	a   *Archive
	ref InstanceRef
}

// ReadAt implements io.ReaderAt.
func (l *lazyFile) ReadAt(p []byte, off int64) (int, error) {
	o, err := l.a.Open(l.ctx, l.ref)
	if err != nil {
		return 0, err
	}
	defer o.Close()
	return o.ReadAt(p, off)
}

// Commitment is the answer for one instance of a storage commitment request.
type Commitment uint8

// The answers of PS3.4 J.3.1.3.1.
const (
	Committed          Commitment = iota // stored, and its file is there in full
	NoSuchInstance                       // 0112H
	ClassConflict                        // 0119H: stored under another SOP Class
	CommitmentNotKnown                   // 0110H: its file is not as it should be, or another content under the UID was held back or refused
)

// SOPReference names an instance as a storage commitment request does.
type SOPReference struct{ SOPClassUID, SOPInstanceUID string }

// Commit says for each instance whether the archive answers for it (PS3.4 J).
func (a *Archive) Commit(ctx context.Context, refs []SOPReference) ([]Commitment, error) {
	out := make([]Commitment, len(refs))
	for from := 0; from < len(refs); from += pageSize {
		part := refs[from:min(from+pageSize, len(refs))]
		found := make([]*InstanceRef, len(part))
		disputed := make([]bool, len(part))

		err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
			for i, r := range part {
				ref, err := index.Find(ctx, tx, r.SOPInstanceUID)
				if fault.Of(err) == fault.NotFound {
					continue
				}
				if err != nil {
					return err
				}

				found[i] = &ref
				if disputed[i], err = contested(ctx, tx, r.SOPInstanceUID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}

		for i, r := range part {
			if out[from+i], err = a.committed(ctx, r, found[i]); err != nil {
				return nil, err
			}
			// Who asks may mean the content that was not taken.
			if disputed[i] && out[from+i] == Committed {
				out[from+i] = CommitmentNotKnown
			}
		}
	}
	return out, nil
}

func (a *Archive) committed(ctx context.Context, r SOPReference, ref *InstanceRef) (Commitment, error) {
	if ref == nil {
		return NoSuchInstance, nil
	}
	if ref.SOPClassUID != r.SOPClassUID {
		return ClassConflict, nil
	}

	info, err := a.o.Blobs.Stat(ctx, ref.Digest)
	if err != nil && fault.Of(err) != fault.NotFound {
		return CommitmentNotKnown, err
	}
	if err != nil || info.Size != ref.Size {
		return CommitmentNotKnown, nil
	}
	return Committed, nil
}
