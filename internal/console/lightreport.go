package console

import (
	"encoding/json"
	"fmt"
	"net/http"

	"collimator/dicom/report"
	"collimator/dicomweb"
)

// line is a line of a report in a page.
type line struct {
	Depth       int
	Heading     bool
	Name, Value string
	Links       []link
}

// link leads to another place of the study; without an address it only names what it would lead to.
type link struct{ Address, Name string }

// depthMost is how far a line of a page stands in: a telephone is narrow.
const depthMost = 5

// fillReport shows the text of an object.
func (s *showing) fillReport(p *place, v *study, x instance) {
	a, err := s.get(http.MethodGet, x.path+"/rendered", dicomweb.TypeLines)
	var r report.Report
	if err != nil || a.long || a.status == http.StatusOK && json.Unmarshal(a.body.Bytes(), &r) != nil {
		p.Why = p.L.WhyAway
		return
	}
	if a.status != http.StatusOK {
		p.Why = s.whyNot(p.L, a, x.syntax)
		return
	}

	where := s.places(v)
	for _, l := range r.Lines {
		out := line{Depth: min(l.Depth, depthMost), Heading: l.Heading, Name: p.L.titled(l), Value: l.Value}
		for _, ref := range l.Refs {
			out.Links = append(out.Links, where.link(p.L, ref))
		}
		p.Lines = append(p.Lines, out)
	}
	if r.Cut {
		p.Why = p.L.WhyCut
	}
}

// titled is what a line is called in the language of the page.
func (l lightWords) titled(x report.Line) string {
	label := string(x.Label)
	if word, ok := l.Labels[x.Label]; ok {
		label = word
	}
	switch {
	case label == "":
		return x.Name
	case x.Name == "":
		return label
	}
	return label + ": " + x.Name
}

// places knows where the instances of a study are shown.
type places func() map[string]placed

type placed struct {
	showing       *showing
	series, first int
	frames        int
}

// places looks for the instances of a study once somebody asks for one.
func (s *showing) places(v *study) places {
	var found map[string]placed
	return func() map[string]placed {
		if found != nil {
			return found
		}
		found = map[string]placed{}
		for _, e := range v.Series {
			list, err := s.instances(e.path)
			if err != nil {
				return found // without the others
			}
			at := 1
			for _, x := range list {
				found[x.uid] = placed{s, e.Number, at, x.frames}
				at += x.frames
			}
		}
		return found
	}
}

// link leads to an instance that is referenced, or says that it is not here.
func (where places) link(l lightWords, ref report.Reference) link {
	at, ok := where()[ref.SOPInstanceUID]
	if !ok {
		return link{Name: l.Elsewhere}
	}
	frame := 1
	if len(ref.Frames) > 0 && ref.Frames[0] >= 1 && ref.Frames[0] <= int64(at.frames) {
		frame = int(ref.Frames[0])
	}
	place := at.first + frame - 1
	return link{at.showing.address(at.series, place), fmt.Sprintf("%s %d, %s %d", l.Series, at.series, l.Image, place)}
}

// fillCurves shows a drawing of the curves of an object.
func (s *showing) fillCurves(p *place, x instance) {
	at := x.path + "/rendered"
	a, err := s.get(http.MethodHead, at, "image/svg+xml")
	switch {
	case err != nil:
		p.Why = p.L.WhyAway
	case a.status != http.StatusOK:
		p.Why = s.whyNot(p.L, a, x.syntax)
	default:
		p.Curves = s.base + at
		p.Alt = p.L.alt(p.Modality, p.Place, p.Places)
	}
}

// fillDocument shows a PDF in its place, a CDA document as text; all else is for the one who downloads it.
func (s *showing) fillDocument(p *place, v *study, x instance) {
	at := x.path + "/rendered"
	a, err := s.get(http.MethodHead, at, "application/pdf")
	switch {
	case err != nil:
		p.Why = p.L.WhyAway
		return
	case a.status == http.StatusOK && a.header.Get("Content-Disposition") == "inline":
		p.Document = s.base + at
		return
	}

	s.fillReport(p, v, x)
	if len(p.Lines) == 0 {
		p.Why = p.L.WhyDocument
	}
}
