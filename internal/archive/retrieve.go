package archive

import (
	"context"
	"errors"
	"io"
	"iter"

	"collimator/dicom"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// RetrieveQuery names instances by unique keys (PS3.4 C.4.2.1.4). A list
// narrows what the lists above it name; at least one of them must not be
// empty. A PatientID alone names all studies of the patient.
type RetrieveQuery struct {
	PatientID       string
	StudyUIDs       []string
	SeriesUIDs      []string
	SOPInstanceUIDs []string
	Scope           *Scope
}

// pageSize is how many rows are read at a time. Between pages no transaction
// is open, so a slow peer holds nothing up.
const pageSize = 256

// Retrieve yields the instances a query names, series by series in order of
// Instance Number. Unknown UIDs yield nothing. It ends after the first error.
func (a *Archive) Retrieve(ctx context.Context, q RetrieveQuery) iter.Seq2[InstanceRef, error] {
	return func(yield func(InstanceRef, error) bool) {
		where, args, err := q.conditions()
		if err != nil {
			yield(InstanceRef{}, err)
			return
		}
		series, err := a.retrieveSeries(ctx, where, args, len(q.SOPInstanceUIDs) > 0)
		if err != nil {
			yield(InstanceRef{}, err)
			return
		}
		for _, id := range series {
			if !a.retrieveInstances(ctx, id, q.SOPInstanceUIDs, yield) {
				return
			}
		}
	}
}

func (q *RetrieveQuery) conditions() (where string, args []any, err error) {
	if q.PatientID == "" && len(q.StudyUIDs) == 0 && len(q.SeriesUIDs) == 0 && len(q.SOPInstanceUIDs) == 0 {
		return "", nil, fault.New(fault.Invalid, "archive: no unique key names what to retrieve")
	}
	b := &builder{}
	if q.PatientID != "" {
		b.and("st.patient_id = " + b.bind(q.PatientID))
	}
	for _, l := range []struct {
		column string
		values []string
	}{{"st.uid", q.StudyUIDs}, {"se.uid", q.SeriesUIDs}, {"i.uid", q.SOPInstanceUIDs}} {
		if len(l.values) == 0 {
			continue
		}
		if err := b.in(l.column, l.values); err != nil {
			return "", nil, err
		}
	}
	if err := q.Scope.restrict(b, "st"); err != nil {
		return "", nil, err
	}
	return b.where(), b.args, nil
}

func (a *Archive) retrieveSeries(ctx context.Context, where string, args []any, byInstance bool) (ids []int64, err error) {
	query := `SELECT se.id FROM study st JOIN series se ON se.study = st.id`
	if byInstance {
		query = `SELECT DISTINCT se.id FROM instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study`
	}
	order := ` ORDER BY st.id, se.number, se.id`
	if byInstance {
		order = ` ORDER BY se.id`
	}
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, query+where+order, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}

func (a *Archive) retrieveInstances(ctx context.Context, series int64, uids []string, yield func(InstanceRef, error) bool) bool {
	number, last := int64(-1<<63), int64(0)
	for {
		var page []InstanceRef
		err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
			b := &builder{}
			b.and("i.series = " + b.bind(series))
			b.and("(i.number, i.id) > (" + b.bind(number) + ", " + b.bind(last) + ")")
			if len(uids) > 0 {
				if err := b.in("i.uid", uids); err != nil {
					return err
				}
			}
			rows, err := tx.Query(ctx, `SELECT i.uid, i.sop_class, st.uid, se.uid, i.transfer_syntax, i.digest, i.size, i.data_offset, i.number, i.id
				FROM instance i JOIN series se ON se.id = i.series JOIN study st ON st.id = se.study`+
				b.where()+` ORDER BY i.number, i.id LIMIT `+b.bind(pageSize), b.args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				ref, err := scanInstance(rows.Scan, &number, &last)
				if err != nil {
					return err
				}
				page = append(page, ref)
			}
			return rows.Err()
		})
		if err != nil {
			return yield(InstanceRef{}, err) && false
		}
		for _, ref := range page {
			if !yield(ref, nil) {
				return false
			}
		}
		if len(page) < pageSize {
			return true
		}
	}
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
func (a *Archive) Instance(ctx context.Context, sopInstanceUID string, scope *Scope) (ref InstanceRef, err error) {
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
			headers, err := a.headers(ctx, page)
			if err != nil {
				return yield(Header{}, err) && false
			}
			for _, h := range headers {
				if !yield(h, nil) {
					return false
				}
			}
			page = page[:0]
			return true
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

// headerPage is how many headers are in memory at a time.
const headerPage = 32

func (a *Archive) headers(ctx context.Context, refs []InstanceRef) ([]Header, error) {
	data := make([][]byte, len(refs))
	err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
		for i, ref := range refs {
			err := tx.QueryRow(ctx, `SELECT d.data FROM instance i JOIN instance_data d ON d.id = i.id WHERE i.uid = ?1`, ref.SOPInstanceUID).Scan(&data[i])
			if err != nil && fault.Of(err) != fault.NotFound {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]Header, len(refs))
	for i, ref := range refs {
		ds, err := a.header(ctx, ref, data[i])
		if err != nil {
			return nil, err
		}
		out[i] = Header{ref, ds}
	}
	return out, nil
}

// header reads a stored header, or the file where there is none.
func (a *Archive) header(ctx context.Context, ref InstanceRef, data []byte) (*dicom.DataSet, error) {
	ts, _ := dicom.LookupTransferSyntax(ref.TransferSyntaxUID)
	file := &lazyFile{ctx: ctx, a: a, ref: ref}
	if data != nil {
		return unpackHeader(data, ts, file, ref.DataSetOffset)
	}
	o, err := a.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return dicom.Decode(o.DataSet(), dicom.DecodeOptions{TransferSyntax: ref.TransferSyntaxUID, BulkThreshold: bulkThreshold,
		Limits: a.dicomLimits(), Source: file, Base: ref.DataSetOffset})
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
	CommitmentNotKnown                   // 0110H: the row is there, its file is not as it should be
)

// SOPReference names an instance as a storage commitment request does.
type SOPReference struct{ SOPClassUID, SOPInstanceUID string }

// Commit says for each instance whether the archive answers for it (PS3.4 J).
func (a *Archive) Commit(ctx context.Context, refs []SOPReference) ([]Commitment, error) {
	out := make([]Commitment, len(refs))
	for from := 0; from < len(refs); from += pageSize {
		part := refs[from:min(from+pageSize, len(refs))]
		found := make([]*InstanceRef, len(part))
		err := a.o.DB.Read(ctx, func(tx *db.Tx) error {
			for i, r := range part {
				ref, err := findInstance(ctx, tx, r.SOPInstanceUID)
				switch {
				case err == nil:
					found[i] = &ref
				case fault.Of(err) != fault.NotFound:
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
