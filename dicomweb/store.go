package dicomweb

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// store answers a store request (PS3.18 10.5): Part 10 files as parts or as the
// body, or metadata with bulk data. Each instance is handed to the backend as
// it arrives, in constant memory.
func (x *exchange) store() error {
	form, err := x.acceptStoreAnswer()
	if err != nil {
		return err
	}

	m, ok := parseMediaRange(x.r.Header.Get("Content-Type"))
	single := ok && !m.multipart && m.mediaType == typeDICOM
	files := single || ok && m.multipart && (m.mediaType == typeDICOM || m.mediaType == "*/*")
	metadata := ok && m.multipart && m.mediaType == typeJSON
	if !files && !metadata {
		return unsupportedBody("its media type is not accepted")
	}

	if wrong := boundaryProblem(m.boundary); wrong != "" && !single {
		return unsupportedBody(wrong)
	}

	body, err := x.body()
	if err != nil {
		return err
	}

	account, done, err := x.call.memory(x.r.Context(), storeCost)
	if err != nil {
		return err
	}
	defer done()

	s := &storing{x: x, form: form, result: newStoreResult(x.link), account: account}
	switch {
	case single:
		s.file(body)
	case metadata:
		err = s.metadata(newPartReader(body, m.boundary, x.h.limits.PartHeader, x.h.limits.Parts))
	default:
		err = s.files(newPartReader(body, m.boundary, x.h.limits.PartHeader, x.h.limits.Parts))
	}
	return s.answer(err)
}

// storeCost is what a store request holds itself: buffers, a decompressor.
const storeCost = 1 << 20

// acceptStoreAnswer negotiates the one data set that says what became of the
// instances (PS3.18 10.5.4).
func (x *exchange) acceptStoreAnswer() (offer, error) {
	accept, err := x.accept()
	if err != nil {
		return offer{}, err
	}
	offers := []offer{{mediaType: typeJSON}, {mediaType: "application/json"}, {mediaType: typeXML}}
	o, ok := negotiate(accept, offers)
	if !ok {
		return offer{}, notAcceptable(offers, "The answer comes as DICOM JSON or XML.")
	}
	return o, nil
}

// unsupportedBody is the answer to a Content-Type that is not taken.
func unsupportedBody(wrong string) *Error {
	possible := []string{`multipart/related; type="application/dicom"`, `multipart/related; type="application/dicom+json"`, typeDICOM}
	return &Error{
		Status:   http.StatusUnsupportedMediaType,
		Header:   http.Header{"Accept": {strings.Join(possible, ", ")}},
		Possible: possible,
		Detail: "The Content-Type cannot be used: " + wrong +
			`. Send multipart/related; type="application/dicom" with a boundary, one Part 10 file in each part.`,
	}
}

// body is the body of the request, decompressed and within the limits.
func (x *exchange) body() (io.Reader, error) {
	l := x.h.limits
	raw := http.MaxBytesReader(x.w, x.r.Body, l.Body)
	switch strings.ToLower(x.r.Header.Get("Content-Encoding")) {
	case "", "identity":
		return raw, nil
	case "gzip", "x-gzip":
		in := &counter{r: raw}
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, problemf(http.StatusBadRequest, "The body is not what Content-Encoding says.")
		}
		return &inflating{z: z, in: in, most: l.Body, ratio: l.Ratio}, nil
	}

	return nil, &Error{
		Status: http.StatusUnsupportedMediaType,
		Detail: "Send the body as it is or with gzip.",
		Header: http.Header{"Accept-Encoding": {"gzip"}},
	}
}

type counter struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// inflating ends where a body becomes far more than what was sent.
type inflating struct {
	z     io.Reader
	in    *counter
	n     int64
	most  int64
	ratio int64
}

// ratioFree is how many bytes a body may have before the ratio counts.
const ratioFree = 16 << 20

// Read implements io.Reader.
func (f *inflating) Read(p []byte) (int, error) {
	n, err := f.z.Read(p)
	f.n += int64(n)
	if f.n > f.most || f.n > ratioFree && f.n/f.ratio > f.in.n {
		return 0, problemf(http.StatusRequestEntityTooLarge,
			"The body becomes too large when it is decompressed. Send it without Content-Encoding.")
	}
	return n, err
}

// storing is a store request that is being read.
type storing struct {
	x      *exchange
	form   offer // of the answer
	result *storeResult

	account dicom.Account // of what is kept to the end: outcomes, where parts stand; nil bounds nothing
	sets    int           // data sets of metadata that were begun
	full    error         // why no more outcomes can be kept
}

// hold takes n bytes that are kept to the end of the request.
func (s *storing) hold(n int64) error { return grow(s.account, n) }

// grow takes n bytes from an account; nil bounds nothing.
func grow(a dicom.Account, n int64) error {
	if a == nil {
		return nil
	}
	return a.Grow(n)
}

// ended is why the request is over before its body is: the client has gone, or what
// became of its instances cannot be kept any more.
func (s *storing) ended() error {
	if ctx := s.x.r.Context(); ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.full
}

// files stores each part of a body. A part that is not stored stands in the answer
// and does not stop the others; an error is about the body as a whole.
func (s *storing) files(r *partReader) error {
	for {
		if err := s.ended(); err != nil {
			return err
		}

		p, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}

		m, ok := parseMediaRange(p.Get("Content-Type"))
		if ok && m.mediaType != typeDICOM && m.mediaType != typeOctets || m.multipart {
			s.failed(Incoming{}, notUnderstood("The media type of the part is not that of a Part 10 file.", nil))
			continue
		}
		// Without a type a part is what the request says it is; what it really is
		// its first bytes say.
		s.file(p)
		if r.err != nil {
			return r.err
		}
	}
}

// peekers look at the UIDs of a data set before it is stored.
var peekers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, dicom.PeekSize) }}

// file stores one Part 10 file while it is read. The outcome, good or bad, goes into
// the answer.
func (s *storing) file(r io.Reader) {
	br := peekers.Get().(*bufio.Reader)
	defer peekers.Put(br)
	br.Reset(r)
	defer br.Reset(nil)

	var preamble *[128]byte
	if b, err := br.Peek(128); err == nil {
		copied := [128]byte(b)
		preamble = &copied
	}

	meta, _, err := dicom.ReadMeta(br, dicom.Limits{})
	if err != nil {
		s.failed(Incoming{}, notUnderstood("The part is not a Part 10 file.", err))
		return
	}

	in := Incoming{TransferSyntaxUID: meta.Text(tag.TransferSyntaxUID), Meta: meta, Preamble: preamble, Data: br}
	if !uid.Tolerable(in.TransferSyntaxUID) {
		s.failed(Incoming{}, notUnderstood("The meta information names no transfer syntax.", nil))
		return
	}

	identify(br, &in)
	s.take(in)
}

// identify reads the UIDs at the start of a data set without taking bytes.
func identify(br *bufio.Reader, in *Incoming) {
	found := dicom.Peek(br, in.TransferSyntaxUID, tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID)
	in.SOPClassUID = found[tag.SOPClassUID]
	in.SOPInstanceUID = found[tag.SOPInstanceUID]
	in.StudyUID = found[tag.StudyInstanceUID]
}

// take hands an instance to the backend, if it belongs to the study of the URL.
func (s *storing) take(in Incoming) {
	named := in
	if want := s.x.call.StudyUID; want != "" && want != in.StudyUID {
		s.failed(named, &Error{
			Status:        http.StatusConflict,
			FailureReason: reasonStudyMismatch,
			Detail:        "The instance is of another study than the address.",
		})
		return
	}

	ctx := s.x.r.Context()
	if s.x.call.Receive != nil {
		if err := s.x.call.Receive(ctx, &in); err != nil {
			s.failed(named, err)
			return
		}
	}

	stored, err := s.x.h.backend.Store(ctx, in)
	if err != nil {
		s.failed(named, err)
		return
	}

	s.outcome(stored.SOPInstanceUID, stored.StudyUID)
	s.result.stored(stored)
	s.x.out.Instances++
	s.see(Observation{Stored: &stored})
}

// failed notes an instance that is not stored. Whatever the reason, it comes
// through here: the answer, the outcome and the interceptor hear of it.
func (s *storing) failed(in Incoming, err error) {
	s.x.out.Failed++
	if s.x.out.Err == nil {
		s.x.out.Err = err
	}

	reason := failureReason(err)
	s.outcome(in.SOPInstanceUID)
	s.result.refused(in, reason)
	s.result.why(err)
	s.see(Observation{
		Stored: &Stored{Resource: Resource{StudyUID: in.StudyUID, SOPInstanceUID: in.SOPInstanceUID}, SOPClassUID: in.SOPClassUID},
		Err:    err, FailureReason: reason,
	})
}

// outcome takes what an outcome is kept in. There is room for this one in any case;
// where there is none for it, none comes after it.
func (s *storing) outcome(texts ...string) {
	n := int64(2 * partCost)
	for _, t := range texts {
		n += 2 * int64(len(t))
	}
	if err := s.hold(n); err != nil && s.full == nil {
		s.full = err
	}
}

// notUnderstood is why a part of a request cannot be stored as an object.
func notUnderstood(detail string, cause error) *Error {
	return &Error{Status: http.StatusBadRequest, FailureReason: reasonCannotUnderstand, Detail: detail, Err: cause}
}

func (s *storing) see(o Observation) {
	if s.x.call.Observe != nil {
		s.x.call.Observe(o)
	}
}

// answer writes the outcome for each instance (PS3.18 10.5.3). err is why the
// body could not be read to its end.
func (s *storing) answer(err error) error {
	r := s.result
	if err != nil && r.good == 0 {
		return bodyProblem(err)
	}
	if err != nil {
		s.failed(Incoming{}, s.cutShort(err))
	}
	if r.good+r.bad == 0 {
		return problemf(http.StatusBadRequest, "There is no object in the request. Send one Part 10 file in each part.")
	}

	ds, err := r.dataSet(s.x.call.StudyUID)
	if err != nil {
		return err
	}

	status := http.StatusOK
	switch {
	case r.good == 0:
		status = r.refusal()
		if status == http.StatusServiceUnavailable {
			s.x.w.Header().Set("Retry-After", "10")
		}
	case r.bad > 0 || r.warnings > 0:
		status = http.StatusAccepted
	}

	if s.form.mediaType == typeXML {
		s.x.start(status, typeXML)
		return dicom.WriteXML(s.x, ds, dicom.XMLOptions{})
	}
	s.x.start(status, typeJSON)
	return dicom.WriteJSON(s.x, ds, dicom.JSONOptions{})
}

// cutShort is why the rest of a request was not stored.
func (s *storing) cutShort(err error) error {
	if problem, ok := errors.AsType[*Error](bodyProblem(err)); ok && failureReason(problem) == reasonNoResources {
		return problem
	}
	return notUnderstood("The request could not be read to its end.", err)
}

// bodyProblem is the answer to a body that breaks the rules of its form.
func bodyProblem(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}

	e := &Error{Status: http.StatusBadRequest, Err: err}
	switch {
	case errors.Is(err, errTooMany):
		e.Status = http.StatusRequestEntityTooLarge
		e.Detail = "The request has more parts than allowed. Send fewer objects at a time."
	case errors.Is(err, errPartLimit):
		e.Status = http.StatusRequestHeaderFieldsTooLarge
		e.Detail = "The header of a part is longer than allowed."
	case errors.Is(err, errPartHeader):
		e.Detail = "The header of a part is malformed (RFC 2046 5.1)."
	case errors.Is(err, errBoundary):
		e.Detail = "The body ends without its closing boundary. Send it again."
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		e.Detail = "The body cannot be decompressed. Send it again."
	default:
		if large := asError(err); large.Status != http.StatusInternalServerError {
			return large
		}
		e.Detail = "The body could not be read to its end. Send it again."
	}
	return e
}
