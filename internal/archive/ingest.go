package archive

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive/index"
	"collimator/internal/blob"
	"collimator/internal/budget"
	"collimator/internal/fault"
	"collimator/internal/stream"
)

// Errors of Ingest that a protocol tells apart.
var (
	// ErrMismatch: the data set is not what the request says it is (A900H, PS3.4 B.2.3).
	ErrMismatch = fault.New(fault.Invalid, "archive: SOP Class or Instance UID of the data set is not that of the request")
	// ErrUID: the SOP Class or Instance UID is missing, or a UID breaks the
	// grammar of PS3.5 9.1.
	ErrUID = fault.New(fault.Invalid, "archive: a UID is missing or malformed")
)

// Incoming is an instance on its way in.
type Incoming struct {
	SOPClassUID       string     // of the request; empty takes the data set's word
	SOPInstanceUID    string     // likewise
	TransferSyntaxUID string     // in which Data stands
	Data              io.Reader  // the data set without meta information, to its end
	Preamble          *[128]byte // that stood in front of it, for the inspection; it is not kept
	Source            Source
	// Refused, where it is set, is told once of an instance that is not taken in.
	Refused func(Whose)
}

// Receipt says what became of an instance that was taken in. Its file and rows
// are durable.
type Receipt struct {
	Instance  InstanceRef
	Duplicate bool // the same content was there already; nothing was changed
	Time      time.Time
}

// Ingest stores an instance and returns when it is durable. The data set is
// read once, to its end, in constant memory, and its whole structure is
// checked on the way.
//
// The same elements with the same values under the same SOP Instance UID are a
// duplicate and no error, in whatever native encoding they come. Any other
// content under the UID goes into quarantine and comes back as a
// *ConflictError, as does an instance whose study belongs to another patient or
// whose series belongs to another study. An error of Data is returned as it is.
func (a *Archive) Ingest(ctx context.Context, in Incoming) (Receipt, error) {
	read := &reading{}
	receipt, err := a.ingest(ctx, in, read)
	if err != nil && in.Refused != nil {
		in.Refused(a.whose(in, read))
	}

	return receipt, err
}

func (a *Archive) ingest(ctx context.Context, in Incoming, read *reading) (Receipt, error) {
	p, err := a.receive(ctx, in, read)
	if err != nil {
		return Receipt{}, err
	}
	defer p.w.Abort()

	a.takeOff(p.ref.Digest)
	defer a.land(p.ref.Digest)
	if p.ours, err = a.absent(ctx, p.ref.Digest); err != nil {
		return Receipt{}, err
	}
	if err := p.w.Commit(ctx, p.ref.Digest); err != nil {
		return Receipt{}, err
	}

	receipt, err := a.takeIn(ctx, p)
	if err != nil && !p.held {
		err = errors.Join(err, a.takeBack(ctx, p))
	}

	return receipt, err
}

// absent reports that no file is stored under a key.
func (a *Archive) absent(ctx context.Context, key string) (bool, error) {
	_, err := a.o.Blobs.Stat(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return true, nil
	}

	return false, err
}

// takeBack removes the file of an instance that was not taken in, if this
// transfer made it: nobody was told that it is stored. A file that lay there
// before stays, whatever the index knows of it.
func (a *Archive) takeBack(ctx context.Context, p *pending) error {
	if !p.ours {
		return nil
	}

	return a.removeUnreferenced(ctx, p.ref.Digest, 1)
}

// takeIn decides about an instance whose file lies in the store: it gets its row, is
// there already, or is held back.
func (a *Archive) takeIn(ctx context.Context, p *pending) (Receipt, error) {
	if err := a.inspect(ctx, p); err != nil {
		return Receipt{}, err
	}

	a.commit(ctx, p)
	if p.err != nil {
		return Receipt{}, p.err
	}
	if p.conflict == nil {
		return Receipt{Instance: p.ref, Duplicate: p.duplicate, Time: p.time}, nil
	}

	if p.conflict.Reason == DifferentContent {
		same, err := a.sameDataSet(ctx, p.ref, p.stored)
		if err != nil {
			return Receipt{}, err
		}
		if same {
			return Receipt{Instance: p.stored, Duplicate: true, Time: p.time}, a.takeBack(ctx, p)
		}
	}

	return Receipt{}, a.hold(ctx, p)
}

// pending is an instance between the wire and its row.
type pending struct {
	w      blob.Writer
	ref    InstanceRef
	source Source
	time   time.Time
	ds     *dicom.DataSet
	spool  *spool
	header []byte // stored form
	before *[128]byte

	description *index.Description
	assumed     string // character set that was assumed, joined by backslashes
	accept      bool   // release from quarantine: another patient does not stand in the way
	held        bool   // the quarantine keeps it
	ours        bool   // its file was not there before this transfer

	// Set by commit.
	done      bool
	duplicate bool
	conflict  *ConflictError
	stored    InstanceRef // what is there under the UID
	err       error
}

// receive streams the file into the blob store and checks the data set.
func (a *Archive) receive(ctx context.Context, in Incoming, read *reading) (_ *pending, err error) {
	if !checkUID(in.SOPClassUID, true) || !checkUID(in.SOPInstanceUID, true) || !checkUID(in.TransferSyntaxUID, false) {
		return nil, ErrUID
	}

	ts, _ := dicom.LookupTransferSyntax(in.TransferSyntaxUID)

	if err := a.room(); err != nil {
		return nil, err
	}
	w, err := a.o.Blobs.Create(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()

	p := &pending{w: w, source: in.Source, time: a.now(), before: in.Preamble}
	src := &source{r: io.LimitReader(in.Data, a.limits.Size+1)}
	sink := &sink{w: w, hash: sha256.New(), room: a.room}
	sp := &spool{}
	head, ds, err := a.decode(ctx, in, src, sink, sp)
	read.ds = ds
	if err != nil {
		return nil, err
	}

	sp.ds = ds
	p.ds = ds
	p.spool = sp

	if err := unambiguous(ds); err != nil {
		return nil, err
	}
	if p.ref, err = identify(in, ds); err != nil {
		return nil, err
	}
	if head.SOPInstanceUID != p.ref.SOPInstanceUID || head.SOPClassUID != p.ref.SOPClassUID {
		return nil, ErrMismatch
	}

	p.ref.DataSetOffset = sink.head
	p.ref.Size = sink.n
	p.ref.Digest = hex.EncodeToString(sink.hash.Sum(nil))
	if a.o.CharacterSet != nil {
		p.assumed = assume(ds, a.o.CharacterSet(in.Source))
	}

	if p.header, err = packHeader(ds, ts, sink.n-sink.head); err != nil {
		return nil, err
	}
	if p.description, err = index.Describe(ds, p.ref, false); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "archive: attributes cannot be indexed")
	}

	return p, nil
}

// room is nil while there is room on the disk for images.
func (a *Archive) room() error {
	if a.o.Room == nil {
		return nil
	}
	return a.o.Room()
}

// identify reads the UIDs of a data set and holds them against the request.
func identify(in Incoming, ds *dicom.DataSet) (InstanceRef, error) {
	ref := InstanceRef{TransferSyntaxUID: in.TransferSyntaxUID}
	for _, f := range []struct {
		to       *string
		t        dicom.Tag
		optional bool
	}{
		{&ref.SOPClassUID, tag.SOPClassUID, false}, {&ref.SOPInstanceUID, tag.SOPInstanceUID, false},
		{&ref.StudyUID, tag.StudyInstanceUID, true}, {&ref.SeriesUID, tag.SeriesInstanceUID, true},
	} {
		values := ds.Texts(f.t)
		if f.optional && (len(values) == 0 || len(values) == 1 && values[0] == "") {
			continue
		}
		if len(values) != 1 || !checkUID(values[0], false) {
			return ref, ErrUID
		}
		*f.to = values[0]
	}

	fileUnder(&ref)
	if in.SOPClassUID != "" && in.SOPClassUID != ref.SOPClassUID || in.SOPInstanceUID != "" && in.SOPInstanceUID != ref.SOPInstanceUID {
		return ref, ErrMismatch
	}
	return ref, nil
}

func checkUID(s string, optional bool) bool {
	return s == "" && optional || uid.Tolerable(s)
}

// decode writes meta information and data set to the sink while it reads the
// structure. Beside an error stands what was read until then.
func (a *Archive) decode(ctx context.Context, in Incoming, src *source, sink *sink, sp *spool) (dicom.Meta, *dicom.DataSet, error) {
	head := dicom.Meta{SOPClassUID: in.SOPClassUID, SOPInstanceUID: in.SOPInstanceUID}
	r := io.Reader(src)
	if head.SOPClassUID == "" || head.SOPInstanceUID == "" {
		// The request names no instance (PS3.18 10.5): the meta information is in
		// front of the data set, so its UIDs are looked up there first.
		br := bufio.NewReaderSize(src, dicom.PeekSize)
		peekIdentity(br, in.TransferSyntaxUID, &head)
		r = br
	}

	head.TransferSyntaxUID = in.TransferSyntaxUID
	head.ImplementationClassUID = dicom.ImplementationClassUID
	head.ImplementationVersionName = dicom.ImplementationVersionName
	meta := dicom.AppendMeta(nil, head)

	out := writers.Get().(*bufio.Writer)
	defer writers.Put(out)
	out.Reset(sink)
	if _, err := out.Write(meta); err != nil {
		return head, nil, err
	}
	sink.head = int64(len(meta))

	ds, err := dicom.Decode(io.TeeReader(stream.While(ctx, r), out), dicom.DecodeOptions{
		TransferSyntax: in.TransferSyntaxUID, BulkThreshold: bulkThreshold, Limits: a.dicomLimits(), Source: sp, Account: budget.From(ctx),
	})
	if err == nil {
		err = out.Flush()
	}

	switch {
	case sink.err != nil:
		return head, ds, sink.err
	case src.n > a.limits.Size:
		return head, ds, fault.Newf(fault.TooLarge, "archive: data set is longer than %d bytes", a.limits.Size)
	case src.err != nil:
		return head, ds, src.err
	case ctx.Err() != nil:
		return head, ds, ctx.Err()
	case fault.Of(err) == fault.Busy, fault.Of(err) == fault.TooLarge: // the budget of memory
		return head, ds, err
	case errors.Is(err, dicom.ErrLimit):
		return head, ds, fault.Wrap(fault.TooLarge, err, "archive: data set is beyond the limits")
	}
	return head, ds, fault.Wrap(fault.Invalid, err, "archive: data set cannot be read")
}

// writers join what the decoder reads into pieces worth a system call.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 128<<10) }}

// peekIdentity reads SOP Class and Instance UID, where the request does not name
// them, without taking bytes.
func peekIdentity(br *bufio.Reader, transferSyntax string, head *dicom.Meta) {
	found := dicom.Peek(br, transferSyntax, tag.SOPClassUID, tag.SOPInstanceUID)
	head.SOPClassUID = cmp.Or(head.SOPClassUID, found[tag.SOPClassUID])
	head.SOPInstanceUID = cmp.Or(head.SOPInstanceUID, found[tag.SOPInstanceUID])
}

// source counts what comes from the peer and keeps its error apart from ours.
type source struct {
	r   io.Reader
	n   int64
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// sink writes to the blob and hashes.
type sink struct {
	w    blob.Writer
	hash hash.Hash
	n    int64
	head int64 // bytes in front of the data set
	err  error
	room func() error
	next int64 // at so many bytes room is asked for again
}

// roomEvery is after how many bytes room is asked for again.
const roomEvery = 16 << 20

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.n >= s.next {
		s.next = s.n + roomEvery
		if s.err = s.room(); s.err != nil {
			return 0, s.err
		}
	}

	s.hash.Write(p)
	n, err := s.w.Write(p)
	s.n += int64(n)
	s.err = err
	return n, err
}
