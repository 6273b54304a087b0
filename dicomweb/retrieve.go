package dicomweb

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/uid"
)

// fileOffers are the representations of an instance as a file, in the order in
// which they are preferred. What is stored native goes out as Explicit VR
// Little Endian by default (PS3.18 8.7.3.5.2).
func fileOffers(i *Instance) []offer {
	var out []offer
	for _, ts := range preferred(i) {
		implied := ts == uid.ExplicitVRLittleEndian
		out = append(out, offer{mediaType: typeDICOM, multipart: true, transferSyntax: ts, implied: implied})
	}
	return out
}

// preferred is the transfer syntaxes of an instance: the default of the
// standard first where that costs no decoding, then the stored one. Implicit VR
// and Big Endian are not used on the web (PS3.18 8.7.3.5.2): what is stored so
// goes out as Explicit VR Little Endian.
func preferred(i *Instance) []string {
	list := i.TransferSyntaxes
	if len(list) == 0 {
		list = []string{i.TransferSyntaxUID}
	}

	list = slices.DeleteFunc(slices.Clone(list), func(ts string) bool {
		return ts == uid.ImplicitVRLittleEndian || ts == uid.ExplicitVRBigEndian
	})

	ts, known := dicom.LookupTransferSyntax(i.TransferSyntaxUID)
	if at := slices.Index(list, uid.ExplicitVRLittleEndian); known && !ts.Encapsulated && at > 0 {
		list = append([]string{uid.ExplicitVRLittleEndian}, slices.Delete(slices.Clone(list), at, at+1)...)
	}
	return list
}

// chooseFile finds the transfer syntax of an instance in an answer. Where the
// client takes any, the stored one is given: nothing is decoded or lost.
func chooseFile(accept []mediaRange, i *Instance, multipart bool) (string, bool) {
	offers := fileOffers(i)
	if !multipart {
		for k := range offers {
			offers[k].multipart = false
		}
	}

	stored := slices.IndexFunc(offers, func(o offer) bool { return o.transferSyntax == i.TransferSyntaxUID })
	for _, m := range accept {
		if m.transferSyntax == "*" && m.q > 0 && stored >= 0 && m.matches(offers[stored]) {
			offers = append([]offer{offers[stored]}, offers...)
			break
		}
		if m.q > 0 && m.transferSyntax != "*" && slices.ContainsFunc(offers, m.matches) {
			break
		}
	}

	o, ok := negotiate(accept, offers)
	return o.transferSyntax, ok
}

// retrieve answers for a study, series or instance as files (PS3.18 10.4.1.1).
func (x *exchange) retrieve() error {
	accept, err := x.accept()
	if err != nil {
		return err
	}
	switch {
	case x.call.Level == InstanceLevel && wantsSingle(accept):
		return x.retrieveSingle(accept)
	case wantsBulk(accept):
		return x.allBulk(accept)
	}

	// The first look says what is possible and what version it is; it reads the
	// index only.
	possible, impossible := 0, 0
	var offers []offer
	version := sha256.New()
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}
		x.name(i)
		if ts, ok := chooseFile(accept, &i, true); ok {
			possible++
			io.WriteString(version, i.Version+ts)
			continue
		}
		if impossible++; impossible <= 16 {
			offers = append(offers, fileOffers(&i)...)
		}
	}

	switch {
	case possible+impossible == 0:
		return errNotFound
	case possible == 0:
		return notAcceptable(offers, "The objects cannot be given in that form. Ask for transfer-syntax=*, or one of the possible ones.")
	}

	x.w.Header().Add("Vary", "Accept")
	if x.notModified(etag(hex.EncodeToString(version.Sum(nil)[:16]))) {
		return nil
	}

	status := http.StatusOK
	if impossible > 0 {
		status = http.StatusPartialContent // PS3.18 10.4.3
	}
	return x.sendFiles(accept, status, possible)
}

// wantsSingle reports a client that likes a plain file best.
func wantsSingle(accept []mediaRange) bool {
	for _, m := range accept {
		if m.q > 0 {
			return !m.multipart && m.mediaType == typeDICOM
		}
	}
	return false
}

// wantsBulk reports a client that likes the bulk data best: asking for instances
// as octets is asking for these (PS3.18 10.4.4).
func wantsBulk(accept []mediaRange) bool {
	for _, m := range accept {
		if m.q > 0 {
			return m.multipart && m.mediaType == typeOctets
		}
	}
	return false
}

// sendFiles writes files as the parts of a body, one after the other. promised
// is how many there are: with fewer the body does not end (PS3.18 8.7.1).
func (x *exchange) sendFiles(accept []mediaRange, status, promised int) error {
	w := newPartWriter(x)
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return err
		}
		ts, ok := chooseFile(accept, &i, true)
		if ok {
			promised--
		}
		if !ok || !x.observe(&i) {
			continue
		}
		if err := x.sendFile(w, &i, ts, status); err != nil {
			return err
		}
		x.out.Instances++
	}

	switch {
	case promised > 0:
		return errIncomplete
	case !x.begun:
		return errNotFound
	}
	return w.end()
}

func (x *exchange) sendFile(w *partWriter, i *Instance, ts string, status int) error {
	f, err := x.h.backend.Open(x.r.Context(), *i, ts)
	if err != nil {
		return err
	}
	defer f.Close()
	if !x.begun {
		x.start(status, w.contentType(typeDICOM))
	}

	length := int64(-1)
	if ts == i.TransferSyntaxUID && i.Size > 0 {
		length = i.Size
	}

	if err := w.begin(typeDICOM+"; transfer-syntax="+ts, x.link(i.Resource), length); err != nil {
		return err
	}
	return x.copyPart(f, length)
}

// retrieveSingle answers for one instance as one file without multipart, by
// ranges too where it goes out as it is stored (RFC 9110 14).
func (x *exchange) retrieveSingle(accept []mediaRange) error {
	i, err := x.one()
	if err != nil {
		return err
	}
	ts, ok := chooseFile(accept, i, false)
	if !ok {
		offers := fileOffers(i)
		return notAcceptable(offers, "The object cannot be given in that form. Ask for transfer-syntax=*, or one of the possible ones.")
	}
	return x.sendSingle(i, ts)
}

func (x *exchange) sendSingle(i *Instance, ts string) error {
	x.w.Header().Add("Vary", "Accept")
	if x.notModified(etag(i.Version, ts)) {
		return nil
	}
	if !x.observe(i) {
		return errNotFound
	}

	f, err := x.h.backend.Open(x.r.Context(), *i, ts)
	if err != nil {
		return err
	}
	defer f.Close()

	x.out.Instances++
	contentType := typeDICOM + "; transfer-syntax=" + ts
	if ts != i.TransferSyntaxUID || i.Size == 0 {
		x.start(http.StatusOK, contentType)
		_, err = copyTo(x, f)
		return err
	}
	return x.sendRange(f, i.Size, contentType)
}

// one finds the only instance of a selection.
func (x *exchange) one() (*Instance, error) {
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return nil, err
		}
		x.name(i)
		return &i, nil
	}
	return nil, errNotFound
}

// sendRange writes size bytes of r, or the range of them that was asked for.
func (x *exchange) sendRange(r io.Reader, size int64, contentType string) error {
	h := x.w.Header()
	h.Set("Accept-Ranges", "bytes")

	from, length, ok := parseRange(x.r.Header.Get("Range"), size)
	if !ok {
		return &Error{Status: http.StatusRequestedRangeNotSatisfiable, Detail: "The range begins behind the end.",
			Header: http.Header{"Content-Range": {"bytes */" + number(size)}}}
	}

	if from > 0 {
		if s, ok := r.(io.Seeker); ok {
			if _, err := s.Seek(from, io.SeekStart); err != nil {
				return err
			}
		} else if _, err := io.CopyN(io.Discard, r, from); err != nil {
			return err
		}
	}

	h.Set("Content-Length", number(length))
	status := http.StatusOK
	if length != size {
		status = http.StatusPartialContent
		h.Set("Content-Range", "bytes "+number(from)+"-"+number(from+length-1)+"/"+number(size))
	}

	x.start(status, contentType)
	n, err := copyTo(x, io.LimitReader(r, length))
	if err == nil && n < length {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// parseRange reads a Range header of one range; several, or a malformed one, mean
// the whole (RFC 9110 14.2). It fails where nothing is in the range.
func parseRange(s string, size int64) (from, length int64, ok bool) {
	spec, is := strings.CutPrefix(strings.ToLower(strings.TrimSpace(s)), "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !is || !dash || strings.Contains(spec, ",") {
		return 0, size, true
	}

	if first == "" {
		n, valid := digits(last)
		if !valid {
			return 0, size, true
		}
		n = min(n, size)
		return size - n, n, n > 0 || size == 0
	}

	a, valid := digits(first)
	b, validLast := digits(last)
	if last == "" {
		b = size - 1
		validLast = true
	}
	if !valid || !validLast || last != "" && b < a {
		return 0, size, true
	}

	if a >= size {
		return 0, 0, false
	}
	return a, min(b, size-1) - a + 1, true
}
