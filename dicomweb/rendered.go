package dicomweb

import (
	"bytes"
	"image"
	"io"
	"net/http"
	"strconv"
	"strings"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
)

// renderOptions are the parameters of a rendered resource (PS3.18 8.3.5).
type renderOptions struct {
	window  *pixel.Window
	view    pixel.View
	source  [4]float64 // x, y, width, height of the region; all 0 for the whole
	quality int
}

// thumbnailSize is the side of a thumbnail where the request gives no size.
const thumbnailSize = 128

// maxViewport is the longest side of a viewport.
const maxViewport = 8192

// parseRender reads the parameters of a rendered resource, and begins with the size and
// quality of a thumbnail where one is asked for. An unknown parameter is ignored and
// named in the answer, a malformed one is answered with 400.
func parseRender(raw string, call *Call) (renderOptions, error) {
	o := renderOptions{quality: 90}
	if call.Part == ThumbnailPart {
		o.view.Width, o.view.Height = thumbnailSize, thumbnailSize
		o.quality = 80
	}

	values, err := parameters(raw)
	if err != nil {
		return o, err
	}

	for name, list := range values {
		v := list[0]
		var ok bool
		switch name {
		case "accept", "charset", "annotation":
			ok = true
		case "iccprofile":
			ok = v == "no" || v == "yes"
		case "quality":
			n, valid := digits(v)
			o.quality = int(n)
			ok = valid && n >= 1 && n <= 100
		case "viewport":
			ok = o.viewport(v)
		case "window":
			ok = o.parseWindow(v)
		default:
			call.ignore(name)
			continue
		}
		if !ok {
			return o, problemf(http.StatusBadRequest, "The parameter %s is malformed. See PS3.18 8.3.5.", name)
		}
	}
	return o, nil
}

// viewport reads vw,vh[,sx,sy,sw,sh]; a negative sw or sh flips.
func (o *renderOptions) viewport(s string) bool {
	list := strings.Split(s, ",")
	if len(list) != 2 && len(list) != 6 {
		return false
	}

	var v [6]float64
	for i, text := range list {
		if text == "" && i > 1 {
			continue
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f != f || f > 1e6 || f < -1e6 {
			return false
		}
		v[i] = f
	}

	if v[0] < 1 || v[1] < 1 || v[0] > maxViewport || v[1] > maxViewport || v[2] < 0 || v[3] < 0 {
		return false
	}

	o.view.Width, o.view.Height = int(v[0]), int(v[1])
	o.view.FlipX, o.view.FlipY = v[4] < 0, v[5] < 0
	o.source = [4]float64{v[2], v[3], abs(v[4]), abs(v[5])}
	return true
}

func abs(v float64) float64 { return max(v, -v) }

// parseWindow reads center,width[,function].
func (o *renderOptions) parseWindow(s string) bool {
	list := strings.Split(s, ",")
	if len(list) != 2 && len(list) != 3 {
		return false
	}

	center, err1 := strconv.ParseFloat(list[0], 64)
	width, err2 := strconv.ParseFloat(list[1], 64)
	function := "LINEAR"
	if len(list) == 3 {
		function = strings.ToUpper(strings.ReplaceAll(list[2], "-", "_"))
	}
	if err1 != nil || err2 != nil || !(width > 0) || function != "LINEAR" && function != "LINEAR_EXACT" && function != "SIGMOID" {
		return false
	}

	o.window = &pixel.Window{Center: center, Width: width, Function: function}
	return true
}

// imageOffers are the forms of a rendered frame.
func imageOffers() []offer {
	return []offer{
		{mediaType: typeJPEG},
		{mediaType: typePNG},
		{mediaType: typeJPEG, multipart: true},
		{mediaType: typePNG, multipart: true},
	}
}

// documentType is the media type of an encapsulated document.
func documentType(ds *dicom.DataSet) string {
	t := dicom.MediaType(ds.Text(tag.MIMETypeOfEncapsulatedDocument))
	switch {
	case t == typePDF, t == "text/xml", t == "application/xml", strings.HasPrefix(t, "model/") && len(t) <= 64:
		return t
	}
	return typeOctets
}

// disposition says what a browser does with a document. It shows what is a PDF and
// says so; all else it keeps as a file.
func disposition(t string, el dicom.Element) string {
	if t != typePDF {
		return "attachment"
	}

	r, err := el.Open()
	if err != nil {
		return "attachment"
	}

	head := make([]byte, 1024) // readers skip what is in front (ISO 32000-1 Annex H)
	n, _ := io.ReadFull(r, head)
	if !bytes.Contains(head[:n], []byte("%PDF-")) {
		return "attachment"
	}
	return "inline"
}

// rendered answers with images for the eye, an encapsulated document or a video
// (PS3.18 10.4.1.4): of a study or series with all there are, of an instance with
// one or, in several parts, all of its frames. A thumbnail is one picture.
func (x *exchange) rendered() error {
	o, err := parseRender(x.r.URL.RawQuery, x.call)
	if err != nil {
		return err
	}
	accept, err := x.accept()
	if err != nil {
		return err
	}
	if x.call.Level != InstanceLevel && x.call.Part == RenderedPart {
		return x.renderedAll(accept, o)
	}

	header, err := x.representative()
	if err != nil {
		return err
	}
	x.w.Header().Add("Vary", "Accept")
	if done, err := x.written(accept, header); done || err != nil {
		return err
	}
	switch {
	case header.DataSet.Has(tag.EncapsulatedDocument):
		return x.document(accept, header)
	case video(header.TransferSyntaxUID) && x.call.Part == RenderedPart && len(x.call.Frames) == 0:
		return x.renderedVideo(accept, header)
	}
	return x.images(accept, header, o)
}

// renderedVideo sends a video as it is stored: players take it (PS3.18 8.7.4).
func (x *exchange) renderedVideo(accept []mediaRange, header *Header) error {
	el, ok := header.DataSet.Get(tag.PixelData)
	if !ok {
		return errNotFound
	}
	v := newBulkValue(header, header.DataSet, el)
	offers := []offer{{mediaType: frameType(header.TransferSyntaxUID)}}
	if _, ok := negotiate(accept, offers); !ok || !v.stream() {
		return notAcceptable(offers, "The object is a video and has no picture. Ask for the video.").coded(CodeVideo)
	}
	if x.notModified(etag(header.Version, "video")) {
		return nil
	}
	if !x.observe(&header.Instance) {
		return errNotFound
	}

	x.out.Instances++
	r, size, err := v.open()
	if err != nil {
		return err
	}
	return x.sendRange(r, size, offers[0].mediaType)
}

// representative is the header of the instance that is rendered: the one that is
// named, or the middle one of those with pixel data.
func (x *exchange) representative() (*Header, error) {
	if x.call.Level == InstanceLevel {
		return x.header()
	}
	n := 0
	for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
		if err != nil {
			return nil, err
		}
		x.name(i)
		n++
	}
	if n == 0 {
		return nil, errNotFound
	}
	// The middle ones first, then those at the start.
	for _, from := range []int{n / 2, 0} {
		at := 0
		for i, err := range x.h.backend.Instances(x.r.Context(), x.selection()) {
			if err != nil {
				return nil, err
			}
			if at++; at <= from || !renderable(i.TransferSyntaxUID) {
				continue
			}
			if at > from+representativeTries {
				break
			}
			if h, err := x.pictured(&i); h != nil || err != nil {
				return h, err
			}
		}
	}
	return nil, errNothingToShow
}

// renderable reports a transfer syntax whose pixel data may be decoded here.
func renderable(ts string) bool {
	known, ok := dicom.LookupTransferSyntax(ts)
	return ok && !known.Encapsulated || pixel.DecodableInPart(ts)
}

// representativeTries is how many headers are read to find one with pixel data.
const representativeTries = 8

// pictured is the header of an instance if it has something to show.
func (x *exchange) pictured(i *Instance) (*Header, error) {
	for h, err := range x.h.backend.Headers(x.r.Context(), Selection{Resource: i.Resource, Restriction: x.call.Restriction}) {
		if err != nil {
			return nil, err
		}
		if hasPicture(h.DataSet) || h.DataSet.Has(tag.EncapsulatedDocument) {
			return &h, nil
		}
	}
	return nil, nil
}

// document sends an encapsulated document as what it is.
func (x *exchange) document(accept []mediaRange, header *Header) error {
	t := documentType(header.DataSet)
	offers := []offer{{mediaType: t}}
	if _, ok := negotiate(accept, offers); !ok || x.call.Part == ThumbnailPart {
		return notAcceptable(offers, "The object is a document and has no picture. Ask for the document.").coded(CodeDocument)
	}

	if x.notModified(etag(header.Version, "document")) {
		return nil
	}
	if !x.observe(&header.Instance) {
		return errNotFound
	}

	el, _ := header.DataSet.Get(tag.EncapsulatedDocument)
	r, err := el.Open()
	if err != nil {
		return err
	}
	size := documentSize(header.DataSet, el)

	how := disposition(t, el)
	if how == "inline" {
		x.w.Header().Set("Content-Security-Policy", documentPolicy)
	}
	x.w.Header().Set("Content-Disposition", how)

	x.out.Instances++
	return x.sendRange(io.LimitReader(r, size), size, t)
}

// images sends rendered frames of one instance: those that the path names, or every
// one where the answer has parts, else the frame that stands for all. Several frames
// always go as parts.
func (x *exchange) images(accept []mediaRange, header *Header, o renderOptions) error {
	offers := imageOffers()
	form, ok := negotiate(accept, offers)
	if !ok {
		return notAcceptable(offers, "Rendered frames come as JPEG or PNG.")
	}
	frames := x.call.Frames
	switch {
	case len(frames) > 0:
	case form.multipart && x.call.Part == RenderedPart:
		frames = everyFrame(header.DataSet)
	default:
		frames = []int{representativeFrame(header.DataSet, x.call.Part)}
	}
	form.multipart = form.multipart || len(frames) > 1
	if err := x.pictureBound(header, o); err != nil {
		return err
	}
	if x.notModified(etag(header.Version, "r1", form.mediaType, strconv.FormatBool(form.multipart))) {
		return nil
	}
	if !x.observe(&header.Instance) {
		return errNotFound
	}

	if !form.multipart {
		b, done, err := x.image(header, frames[0], o, form.mediaType)
		if err != nil {
			return renderError(err)
		}
		defer done()
		x.out.Instances++
		return x.sendRange(bytes.NewReader(b), int64(len(b)), form.mediaType)
	}
	w := newPartWriter(x)
	left := leftOut{status: http.StatusOK}
	if err := x.imageParts(w, header, frames, o, form.mediaType, &left); err != nil {
		return err
	}
	if !x.begun {
		return left.problem
	}
	x.out.Instances++
	return w.end()
}

func renderError(err error) error {
	return frameError(err,
		"The frame cannot be shown as a picture here. Retrieve it with transfer-syntax=* and decode it, or retrieve the instance.")
}

// everyFrame is the numbers of the frames there are.
func everyFrame(ds *dicom.DataSet) []int {
	count := 1
	if f, err := pixel.Index(ds); err == nil {
		count = max(f.Len(), 1)
	}
	frames := make([]int, count)
	for i := range frames {
		frames[i] = i + 1
	}
	return frames
}

// representativeFrame is the frame that represents an instance.
func representativeFrame(ds *dicom.DataSet, part Part) int {
	n, ok := ds.Int(tag.RepresentativeFrameNumber)
	count, _ := ds.Int(tag.NumberOfFrames)
	switch {
	case ok && n >= 1 && n <= max(count, 1):
		return int(n)
	case part == ThumbnailPart && count > 1:
		return int(count)/2 + 1
	}
	return 1
}

// region is the part of an image that a viewport shows; without a size it goes
// to the edge.
func region(b image.Rectangle, s [4]float64) image.Rectangle {
	if s == [4]float64{} {
		return image.Rectangle{}
	}
	r := image.Rect(int(s[0]), int(s[1]), b.Max.X, b.Max.Y)
	if s[2] > 0 {
		r.Max.X = int(s[0] + s[2])
	}
	if s[3] > 0 {
		r.Max.Y = int(s[1] + s[3])
	}
	return r.Intersect(b)
}
