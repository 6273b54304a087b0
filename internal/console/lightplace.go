package console

import (
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/internal/fault"
)

// place is one place of a series: a frame of an image, or an object of another kind.
type place struct {
	L                           lightWords
	Patient, Date, Home         string
	Modality, Description       string
	Place, Places               int
	First, Previous, Next, Last string // addresses
	Picture, Under, Alt         string // what is drawn, and what it lies on
	Why                         string // the sentence why nothing is
	Curves                      string // address of a drawing of curves
	Document, DocumentName      string
	Lines                       []line
	Download, DownloadName      string
	Windows                     []window
	Stack                       string // for the script
	Link                        bool
	kind                        kind
	rate                        float64  // frames a second
	under                       []string // for each frame, what it lies on
}

// window is a way of mapping values to brightness that a page offers (PS3.18 8.3.5.1.4).
type window struct {
	Name, Value, Address string
	Chosen               bool
}

// place is what the page of a place of a series shows.
func (s *showing) place(l lightWords, number, at int) (*place, error) {
	v, err := s.found(l)
	if err != nil {
		return nil, err
	}
	if number < 1 || number > len(v.Series) {
		return nil, fault.New(fault.NotFound, "console: the study has no such series")
	}
	e := v.Series[number-1]
	list, err := s.instances(e.path)
	if err != nil {
		return nil, err
	}

	i, frame, total := find(list, at)
	if i < 0 {
		return nil, fault.New(fault.NotFound, "console: the series has no such place")
	}

	p := &place{L: l, Patient: v.Patient, Date: v.Date, Home: s.home(), Modality: e.Modality, Description: e.Description,
		Place: at, Places: total, Link: v.Link, kind: list[i].kind()}
	if at > 1 {
		p.First, p.Previous = s.address(number, 1), s.address(number, at-1)
	}
	if at < total {
		p.Next, p.Last = s.address(number, at+1), s.address(number, total)
	}

	s.fill(p, v, list[i], frame)
	if p.Picture != "" {
		p.Stack = s.stack(p, list, i)
	}
	s.offerDownload(p, list[i])
	return p, nil
}

// find is the instance and frame at a place that is counted through a series, and how many places there are; -1
// where there is none.
func find(list []instance, at int) (i, frame, total int) {
	i = -1
	for k, x := range list {
		if i < 0 && at >= 1 && at <= total+x.frames {
			i = k
			frame = at - total
		}
		total += x.frames
	}
	return i, frame, total
}

// fill finds out what is shown of an instance. What DICOMweb says decides: no picture is named in the page that it
// would not give.
func (s *showing) fill(p *place, v *study, x instance, frame int) {
	switch p.kind {
	case aPicture, aSegmentation:
		s.fillPicture(p, v, x, frame)
	case aDocument:
		s.fillDocument(p, v, x)
	case aWaveform:
		s.fillCurves(p, x)
	case aReport:
		s.fillReport(p, v, x)
	case aVideo:
		p.Why = p.L.WhyVideo
	case aPrivate:
		p.Why = p.L.WhyPrivate
	default:
		p.Why = p.L.WhyNothing
	}
}

// fillPicture shows a frame, in the window that the address names.
func (s *showing) fillPicture(p *place, v *study, x instance, frame int) {
	at := rendered(x.path, frame)
	if p.Why = s.why(p.L, at, x.syntax); p.Why != "" {
		return
	}

	ds := s.dataSet(x.path)
	if ds == nil {
		ds = dicom.NewDataSet() // the picture is there all the same
	}
	p.rate = rate(ds)
	p.Windows = s.windows(p, ds)
	if p.kind == aSegmentation {
		s.putUnder(p, v, x, ds)
		p.Under = s.underneath(p, frame)
	}
	q := ""
	for _, w := range p.Windows {
		if w.Chosen && w.Value != "" {
			q = "?window=" + url.QueryEscape(w.Value)
		}
	}
	p.Picture = s.base + at + q
	p.Alt = p.L.alt(p.Modality, p.Place, p.Places)
}

// why asks DICOMweb whether it has a picture; the sentence says why not.
func (s *showing) why(l lightWords, at, syntax string) string {
	a, err := s.get(http.MethodHead, at+"?viewport=1,1", "image/jpeg")
	switch {
	case err != nil:
		return l.WhyAway
	case a.status == http.StatusOK:
		return ""
	}
	return s.whyNot(l, a, syntax)
}

// whyNot is the sentence for a refusal of DICOMweb.
func (s *showing) whyNot(l lightWords, a *answer, syntax string) string {
	var problem struct{ Code dicomweb.Code }
	json.Unmarshal(a.body.Bytes(), &problem) // without a code it is what is said of none
	return l.why(problem.Code, syntax)
}

// dataSet is the metadata of an instance; nil where they cannot be had.
func (s *showing) dataSet(path string) *dicom.DataSet {
	for ds := range s.dataSets(path) {
		return ds
	}
	return nil
}

// dataSets are the metadata of what is at a path, as far as they can be had.
func (s *showing) dataSets(path string) iter.Seq[*dicom.DataSet] {
	return func(yield func(*dicom.DataSet) bool) {
		a, err := s.get(http.MethodGet, path+"/metadata", "application/dicom+json")
		if err != nil || a.status != http.StatusOK || a.long {
			return
		}
		r := dicom.NewJSONReader(&a.body, dicom.JSONOptions{})
		for {
			ds, err := r.Next()
			if err != nil || !yield(ds) {
				return
			}
		}
	}
}

// decodes reports an image whose picture is there unless it is damaged: those are not asked for one by one that lie
// under another, or to which a script goes.
func (i instance) decodes() bool {
	t, ok := dicom.LookupTransferSyntax(i.syntax)
	return i.syntax == "" || ok && !t.Encapsulated || pixel.Decodable(i.syntax)
}

// offerDownload names the file of an instance where its reader may have it.
func (s *showing) offerDownload(p *place, x instance) {
	a, err := s.get(http.MethodHead, x.path, "application/dicom; transfer-syntax=*")
	if err != nil || a.status != http.StatusOK {
		return
	}
	p.Download = s.base + x.path + "?accept=" + url.QueryEscape("application/dicom; transfer-syntax=*")
	p.DownloadName = "image-" + strconv.Itoa(p.Place) + ".dcm"
}

// windowsMost is how many windows of an object a page offers.
const windowsMost = 8

// ctWindows are the usual ones of computed tomography, in Hounsfield units.
var ctWindows = [...]string{"40,400", "-600,1500", "400,1800", "40,80"}

// windows are those that an image names, and of computed tomography the usual ones. The first is what the server
// chooses by itself.
func (s *showing) windows(p *place, ds *dicom.DataSet) (out []window) {
	samples, ok := ds.Int(tag.SamplesPerPixel)
	if p.kind != aPicture || ok && samples != 1 || ds.Text(tag.PhotometricInterpretation) == "PALETTE COLOR" {
		return nil
	}

	out = append(out, window{Name: p.L.WindowOwn})
	voi := voiOf(ds)
	centers, widths, names := voi.Floats(tag.WindowCenter), voi.Floats(tag.WindowWidth), voi.Texts(tag.WindowCenterWidthExplanation)
	for i := range min(len(centers), len(widths), windowsMost) {
		value := decimal(centers[i]) + "," + decimal(widths[i])
		if !(widths[i] >= 1) || i == 0 && len(centers) == 1 {
			continue // the server's own choice
		}
		name := value
		if i < len(names) && names[i] != "" {
			name = clipped(names[i])
		}
		out = append(out, window{Name: name, Value: value})
	}
	if class := ds.Text(tag.SOPClassUID); class == uid.CTImageStorage || class == uid.EnhancedCTImageStorage {
		for i, value := range ctWindows {
			out = append(out, window{Name: p.L.CT[i], Value: value})
		}
	}

	if len(out) == 1 {
		return nil // there is nothing to choose
	}
	asked := s.own.URL.Query().Get("window")
	for i := range out {
		w := &out[i]
		w.Chosen = w.Value == asked
		w.Address = windowAddress(s.own.URL.Query(), s.page, w.Value)
	}
	return out
}

// windowAddress is the address of the page of the same place in another window.
func windowAddress(q url.Values, page, value string) string {
	q.Del("window")
	if value != "" {
		q.Set("window", value)
	}
	return page + "?" + q.Encode()
}

// voiOf is the data set in which the windows stand: the image's own, or those of its first frame (PS3.3 C.7.6.16.2.10).
func voiOf(ds *dicom.DataSet) *dicom.DataSet {
	if ds.Has(tag.WindowCenter) {
		return ds
	}
	for _, t := range []dicom.Tag{tag.SharedFunctionalGroupsSequence, tag.PerFrameFunctionalGroupsSequence} {
		for _, group := range ds.Items(t)[:min(len(ds.Items(t)), 1)] {
			for _, voi := range group.Items(tag.FrameVOILUTSequence) {
				return voi
			}
		}
	}
	return ds
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
