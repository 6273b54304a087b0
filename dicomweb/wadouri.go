package dicomweb

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// decodeURI reads a request of the URI service (PS3.18 9), which viewers older
// than WADO-RS make.
func (h *Handler) decodeURI(r *http.Request, call *Call) (*Call, action, error) {
	q := query(r)
	call.Verb = Retrieving
	call.Level = InstanceLevel

	named := Resource{q.Get("studyUID"), q.Get("seriesUID"), q.Get("objectUID")}
	valid := uid.Tolerable(named.StudyUID) && uid.Tolerable(named.SeriesUID) && uid.Tolerable(named.SOPInstanceUID)
	if valid {
		call.Resource = named // a call never holds an invalid UID
	}

	if err := methods(r); err != nil {
		return call, nil, err
	}
	if q.Get("requestType") != "WADO" {
		return call, nil, problemf(http.StatusBadRequest, "The parameter requestType is WADO (PS3.18 9.1.2.1).")
	}
	if !valid {
		return call, nil, problemf(http.StatusBadRequest, "The parameters studyUID, seriesUID and objectUID are needed, and are UIDs.")
	}

	for name := range q {
		if !slices.Contains(uriParameters, name) {
			call.ignore(name)
		}
	}
	if q.Get("anonymize") != "" {
		return call, nil, problemf(http.StatusBadRequest, "Objects are not de-identified on this way. Leave anonymize out.")
	}

	types := q.Get("contentType")
	if m, ok := parseMediaRange(types); ok && m.mediaType != typeDICOM && !strings.HasPrefix(m.mediaType, "*") {
		call.Verb = Rendering
		call.Part = RenderedPart
	}
	return call, (*exchange).wadoURI, nil
}

var uriParameters = []string{"requestType", "studyUID", "seriesUID", "objectUID", "contentType", "charset", "transferSyntax", "anonymize",
	"frameNumber", "rows", "columns", "region", "windowCenter", "windowWidth", "imageQuality", "annotation"}

// wadoURI answers a request of the URI service: contentType chooses between a picture,
// the document or video in the object, and the whole file.
func (x *exchange) wadoURI() error {
	q := query(x.r)
	header, err := x.header()
	if err != nil {
		return err
	}

	accept := parseAccept(q["contentType"])
	offers := []offer{{mediaType: typeJPEG}, {mediaType: typePNG}, {mediaType: typeDICOM}}
	document := header.DataSet.Has(tag.EncapsulatedDocument)
	picture := hasPicture(header.DataSet)

	switch {
	case document:
		offers = []offer{{mediaType: documentType(header.DataSet)}, {mediaType: typeDICOM}}
	case picture && video(header.TransferSyntaxUID):
		offers = []offer{{mediaType: frameType(header.TransferSyntaxUID)}, {mediaType: typeDICOM}}
	case !picture:
		offers = offers[2:]
	}

	o, ok := negotiate(accept, offers)
	switch {
	case !ok:
		return notAcceptable(offers, "The object cannot be given in that form.")
	case o.mediaType == typeDICOM:
		return x.wadoFile(&header.Instance, q.Get("transferSyntax"))
	case document:
		return x.document([]mediaRange{{mediaType: "*/*", q: 1}}, header)
	case video(header.TransferSyntaxUID):
		return x.renderedVideo([]mediaRange{{mediaType: "*/*", q: 1}}, header)
	}

	options, err := uriRender(q, header)
	if err != nil {
		return err
	}
	if n := q.Get("frameNumber"); n != "" {
		frames, err := parseFrames(n, 1)
		if err != nil {
			return err
		}
		x.call.Frames = frames
	}
	return x.images([]mediaRange{{mediaType: o.mediaType, q: 1}}, header, options)
}

// wadoFile gives the file. Explicit VR Little Endian is the default (PS3.18
// 9.1.2.2.4); what cannot be given so goes out as it is stored.
func (x *exchange) wadoFile(i *Instance, ts string) error {
	possible := preferred(i)
	if ts == "" || ts == "*" {
		ts = possible[0]
		if slices.Contains(possible, uid.ExplicitVRLittleEndian) {
			ts = uid.ExplicitVRLittleEndian
		}
	}
	if !slices.Contains(possible, ts) {
		return notAcceptable(fileOffers(i),
			"The object cannot be given in that transfer syntax. Leave transferSyntax out, or name one of the possible ones.")
	}
	return x.sendSingle(i, ts)
}

// uriRender translates the parameters of PS3.18 9.1.2.1 into those of a
// rendered resource.
func uriRender(q url.Values, header *Header) (renderOptions, error) {
	o := renderOptions{quality: 90}
	bad := func(name string) (renderOptions, error) {
		return o, problemf(http.StatusBadRequest, "The parameter %s is malformed. See PS3.18 9.1.2.1.", name)
	}

	if v := q.Get("imageQuality"); v != "" {
		n, ok := digits(v)
		if !ok || n < 1 || n > 100 {
			return bad("imageQuality")
		}
		o.quality = int(n)
	}
	if q.Has("windowCenter") || q.Has("windowWidth") {
		if !o.parseWindow(q.Get("windowCenter") + "," + q.Get("windowWidth")) {
			return bad("windowCenter or windowWidth")
		}
	}

	o.view = pixel.View{Width: maxViewport, Height: maxViewport}
	sized := false
	for name, to := range map[string]*int{"columns": &o.view.Width, "rows": &o.view.Height} {
		if v := q.Get(name); v != "" {
			n, ok := digits(v)
			if !ok || n < 1 || n > maxViewport {
				return bad(name)
			}
			*to = int(n)
			sized = true
		}
	}
	if !sized {
		o.view = pixel.View{}
	}

	if v := q.Get("region"); v != "" {
		if !o.uriRegion(v, header) {
			return bad("region")
		}
	}
	return o, nil
}

// uriRegion reads the corners of a region as shares of the image.
func (o *renderOptions) uriRegion(s string, header *Header) bool {
	var v [4]float64
	list := strings.Split(s, ",")
	if len(list) != 4 {
		return false
	}
	for i, text := range list {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return false
		}
		v[i] = f
	}

	a, err := pixel.Describe(header.DataSet)
	w, h := float64(a.Columns), float64(a.Rows)
	o.source = [4]float64{v[0] * w, v[1] * h, (v[2] - v[0]) * w, (v[3] - v[1]) * h}
	return err == nil && v[2] > v[0] && v[3] > v[1]
}
