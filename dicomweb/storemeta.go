package dicomweb

import (
	"errors"
	"io"
	"net/http"
	"os"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// spool is the metadata and bulk data of a request, on disk until all of it is
// there: bulk data may stand in front of the metadata that name them. The file has
// no name and goes with the process.
type spool struct {
	f     *os.File
	size  int64
	parts map[string][]bulkPart // by Content-Location
}

type bulkPart struct {
	offset, length int64
	mediaType      string
	transferSyntax string
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "dicomweb-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spool{f: f, parts: map[string][]bulkPart{}}, nil
}

// copy keeps a part of at most so many bytes; one that is longer is an error.
func (s *spool) copy(p *part, most int64, tooLong error) (span, error) {
	at := span{offset: s.size}
	n, err := copyTo(s.f, io.LimitReader(p, most+1))
	s.size += n
	at.length = n
	if err == nil && n > most {
		err = tooLong
	}
	return at, err
}

// partCost is what is kept in memory of a part that stands on disk, and of an
// outcome, besides its texts.
const partCost = 512

// metadata stores instances that come as DICOM JSON with their bulk data in
// other parts (PS3.18 10.5.2, 8.7.3.2).
func (s *storing) metadata(r *partReader) error {
	sp, err := newSpool(s.x.h.o.TempDir)
	if err != nil {
		return err
	}
	defer sp.f.Close()

	documents, err := s.spool(r, sp)
	if err != nil {
		return err
	}

	for _, d := range documents {
		if err := s.document(d, sp); err != nil {
			return err
		}
	}
	return nil
}

// spool keeps all parts of a request on disk. It gives where metadata stand.
func (s *storing) spool(r *partReader, sp *spool) (documents []span, err error) {
	l := s.x.h.limits
	metadata, bulk := l.Metadata, l.Spool
	for {
		p, err := r.next()
		if err == io.EOF {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		location := p.Get("Content-Location")
		if err := s.hold(partCost + int64(len(location))); err != nil {
			return nil, err
		}

		m, _ := parseMediaRange(p.Get("Content-Type"))
		switch {
		case m.multipart:
			s.failed(Incoming{}, notUnderstood("A part is itself of several parts.", nil))
		case m.mediaType == typeJSON || m.mediaType == "application/json":
			at, err := sp.copy(p, metadata, problemf(http.StatusRequestEntityTooLarge,
				"The metadata of the request are more than %d bytes. Send fewer objects at a time.", l.Metadata))
			if err != nil {
				return nil, err
			}
			metadata -= at.length
			documents = append(documents, at)
		default:
			at, err := sp.copy(p, bulk, problemf(http.StatusRequestEntityTooLarge,
				"The bulk data of the request are more than %d bytes. Send fewer objects at a time.", l.Spool))
			if err != nil {
				return nil, err
			}
			bulk -= at.length
			sp.parts[location] = append(sp.parts[location], bulkPart{at.offset, at.length, m.mediaType, m.transferSyntax})
		}
	}
}

// document stores the instances of one part of metadata. They are parts of the
// request as well: so many it may have, and no more are looked at once it is over.
func (s *storing) document(d span, sp *spool) error {
	sets := newJSONSets(io.NewSectionReader(sp.f, d.offset, d.length))
	for {
		at, err := sets.next()
		switch {
		case err == io.EOF:
			return nil
		case err == nil:
		case errors.Is(err, errJSON):
			return noMetadata(err)
		default:
			return err
		}

		if s.sets++; s.sets > s.x.h.limits.Parts {
			return errTooMany
		}
		if err := s.ended(); err != nil {
			return err
		}
		if err := s.instance(span{d.offset + at.offset, at.length}, sp); err != nil {
			return err
		}
	}
}

// noMetadata is the answer to malformed metadata.
func noMetadata(cause error) error {
	return &Error{
		Status: http.StatusBadRequest,
		Detail: "The metadata are not DICOM JSON (PS3.18 F), or name bulk data that are not in the request.",
		Err:    cause,
	}
}

// leastSet is what is reserved for a data set before its account grows with it.
const leastSet = 64 << 10

// instance stores one data set of the metadata. What it takes in memory is given
// back before the next one.
func (s *storing) instance(at span, sp *spool) error {
	ctx := s.x.r.Context()
	account, done, err := s.x.call.memory(ctx, leastSet)
	if err != nil {
		return s.without(err)
	}
	defer done()

	res := &resolver{spool: sp, left: s.x.h.limits.Metadata, account: account}
	ds, err := dicom.DecodeJSON(io.NewSectionReader(sp.f, at.offset, at.length), dicom.JSONOptions{Resolve: res.element, Account: account})
	if problem, ok := errors.AsType[*Error](err); ok {
		return s.without(problem)
	}
	if errors.Is(err, dicom.ErrLimit) {
		return s.without(&Error{
			Status: http.StatusRequestEntityTooLarge,
			Detail: "A data set of the metadata has more elements, or more compressed frames, than allowed.",
			Err:    err,
		})
	}
	if err != nil {
		return noMetadata(err)
	}
	s.dataSet(ds, res.transferSyntax)
	return nil
}

// without notes a data set for which there is no room, and goes on with the next
// unless the request is over.
func (s *storing) without(err error) error {
	if gone := s.ended(); gone != nil {
		return gone
	}
	s.failed(Incoming{}, err)
	return nil
}

// resolver finds the bulk data of one instance.
type resolver struct {
	spool          *spool
	left           int64         // bytes of compressed frames that may be in memory
	account        dicom.Account // takes them; nil for none
	transferSyntax string
}

var errBulk = errors.New("dicomweb: bulk data are not in the request")

// element makes the element of a BulkDataURI: native values stay on disk, of
// compressed pixel data each part is a frame.
func (r *resolver) element(t dicom.Tag, vr dicom.VR, uri string) (dicom.Element, error) {
	parts := r.spool.parts[uri]
	if len(parts) == 0 {
		return dicom.Element{}, errBulk
	}

	ts := syntaxOfPart(parts[0])
	if known, _ := dicom.LookupTransferSyntax(ts); t != tag.PixelData || ts == "" || !known.Encapsulated {
		if len(parts) > 1 {
			return dicom.Element{}, errBulk
		}
		return dicom.NewBulk(t, vr, r.spool.f, parts[0].offset, parts[0].length), nil
	}

	r.transferSyntax = ts
	var frames [][]byte
	for _, p := range parts {
		if r.left -= p.length; r.left < 0 {
			return dicom.Element{}, dicom.ErrLimit
		}

		if err := grow(r.account, p.length+partCost); err != nil {
			return dicom.Element{}, err
		}

		b := make([]byte, p.length, p.length+1)
		if _, err := r.spool.f.ReadAt(b, p.offset); err != nil {
			return dicom.Element{}, err
		}
		if len(b)%2 == 1 {
			b = append(b, 0)
		}
		frames = append(frames, b)
	}

	return dicom.NewFragments(t, dicom.OB, nil, frames...), nil
}

// syntaxOfPart is the transfer syntax of a part; a media type that says none
// has the default of PS3.18 8.7.3.3.
func syntaxOfPart(p bulkPart) string {
	if p.transferSyntax != "" {
		return p.transferSyntax
	}

	switch p.mediaType {
	case typeJPEG:
		return uid.JPEGBaseline8Bit
	case "image/jls":
		return uid.JPEGLSLossless
	case "image/jp2":
		return uid.JPEG2000Lossless
	case "image/dicom-rle":
		return uid.RLELossless
	}
	return ""
}

// dataSet stores an instance that was put together from metadata and bulk data. An
// empty ts means explicit VR little endian, or implicit where the metadata say so.
// Elements that tell of the file are left out of the data set.
func (s *storing) dataSet(ds *dicom.DataSet, ts string) {
	if ts == "" {
		ts = uid.ExplicitVRLittleEndian
		if said := ds.Text(tag.AvailableTransferSyntaxUID); said == uid.ImplicitVRLittleEndian {
			ts = said
		}
	}

	var meta []dicom.Tag
	for el := range ds.All() {
		if el.Tag.Group() == 2 || el.Tag == tag.AvailableTransferSyntaxUID {
			meta = append(meta, el.Tag)
		}
	}
	for _, t := range meta {
		ds.Delete(t)
	}

	in := Incoming{
		SOPClassUID:       ds.Text(tag.SOPClassUID),
		SOPInstanceUID:    ds.Text(tag.SOPInstanceUID),
		StudyUID:          ds.Text(tag.StudyInstanceUID),
		TransferSyntaxUID: ts,
	}
	if !uid.Tolerable(in.SOPClassUID) || !uid.Tolerable(in.SOPInstanceUID) {
		s.failed(Incoming{}, notUnderstood("The metadata hold no valid SOP Class or Instance UID.", nil))
		return
	}

	r := dicom.Reader(ds, dicom.EncodeOptions{TransferSyntax: ts})
	defer r.Close() // its source are the metadata: what it has to say was read
	in.Data = r
	s.take(in)
}
