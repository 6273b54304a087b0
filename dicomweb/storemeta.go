package dicomweb

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// spool is bulk data that arrived before or behind the metadata that name them,
// on disk. The file has no name and goes with the process.
type spool struct {
	f     *os.File
	size  int64
	most  int64
	parts map[string][]bulkPart // by Content-Location
}

type bulkPart struct {
	offset, length int64
	mediaType      string
	transferSyntax string
}

func newSpool(dir string, most int64) (*spool, error) {
	f, err := os.CreateTemp(dir, "dicomweb-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spool{f: f, most: most, parts: map[string][]bulkPart{}}, nil
}

// add keeps a part.
func (s *spool) add(p *part, m mediaRange) error {
	n, err := copyTo(s.f, io.LimitReader(p, s.most-s.size+1))
	if err != nil {
		return err
	}
	if s.size+n > s.most {
		return problemf(http.StatusRequestEntityTooLarge, "The bulk data of the request are more than %d bytes. Send fewer objects at a time.", s.most)
	}
	location := p.Get("Content-Location")
	s.parts[location] = append(s.parts[location], bulkPart{s.size, n, m.mediaType, m.transferSyntax})
	s.size += n
	return nil
}

// metadata stores instances that come as DICOM JSON with their bulk data in
// other parts (PS3.18 10.5.2, 8.7.3.2).
func (s *storing) metadata(r *partReader) error {
	l := s.x.h.limits
	sp, err := newSpool(s.x.h.o.TempDir, l.Spool)
	if err != nil {
		return err
	}
	defer sp.f.Close()

	var documents [][]byte
	left := l.Metadata
	for {
		p, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}

		m, _ := parseMediaRange(p.Get("Content-Type"))
		switch {
		case m.multipart:
			s.failed(Incoming{}, notUnderstood("A part is itself of several parts.", nil))
		case m.mediaType == typeJSON || m.mediaType == "application/json":
			b, err := io.ReadAll(io.LimitReader(p, left+1))
			if err != nil {
				return err
			}
			if left -= int64(len(b)); left < 0 {
				return problemf(http.StatusRequestEntityTooLarge, "The metadata of the request are more than %d bytes. Send fewer objects at a time.", l.Metadata)
			}
			documents = append(documents, b)
		default:
			if err := sp.add(p, m); err != nil {
				return err
			}
		}
	}

	for _, b := range documents {
		if err := s.document(b, sp); err != nil {
			return err
		}
	}
	return nil
}

// document stores the instances of one part of metadata.
func (s *storing) document(b []byte, sp *spool) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '{' {
		b = append(append([]byte{'['}, b...), ']')
	}
	var res *resolver
	resolve := func(t dicom.Tag, vr dicom.VR, uri string) (dicom.Element, error) { return res.element(t, vr, uri) }
	r := dicom.NewJSONReader(bytes.NewReader(b), dicom.JSONOptions{Resolve: resolve})
	for {
		res = &resolver{spool: sp, left: s.x.h.limits.Metadata}
		ds, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &Error{Status: http.StatusBadRequest, Detail: "The metadata are not DICOM JSON (PS3.18 F), or name bulk data that are not in the request.", Err: err}
		}
		s.dataSet(ds, res.transferSyntax)
	}
}

// resolver finds the bulk data of one instance.
type resolver struct {
	spool          *spool
	left           int64 // bytes of compressed frames that may be in memory
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

// dataSet stores an instance that was put together.
func (s *storing) dataSet(ds *dicom.DataSet, ts string) {
	if ts == "" {
		ts = uid.ExplicitVRLittleEndian
		if said := ds.Text(tag.AvailableTransferSyntaxUID); said == uid.ImplicitVRLittleEndian {
			ts = said
		}
	}
	for el := range ds.Clone().All() {
		if el.Tag.Group() == 2 || el.Tag == tag.AvailableTransferSyntaxUID {
			ds.Delete(el.Tag)
		}
	}
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(dicom.Encode(w, ds, ts))
	}()
	in := Incoming{SOPClassUID: ds.Text(tag.SOPClassUID), SOPInstanceUID: ds.Text(tag.SOPInstanceUID), StudyUID: ds.Text(tag.StudyInstanceUID), TransferSyntaxUID: ts, Data: r}
	if uid.Tolerable(in.SOPClassUID) && uid.Tolerable(in.SOPInstanceUID) {
		s.take(in)
	} else {
		s.failed(Incoming{}, notUnderstood("The metadata hold no valid SOP Class or Instance UID.", nil))
	}
	r.Close()
	<-done
}
