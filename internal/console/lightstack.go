package console

import (
	"encoding/json"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
)

// stackMost is how many images a page names for its script.
const stackMost = 3000

// stacked is an image of a stack. What is no picture, and a segmentation other than the one that is shown, has a
// page of its own.
type stacked struct {
	Path    string `json:"p"`
	Frames  int    `json:"n"`
	Picture bool   `json:"i"`
	Rows    int    `json:"r"`
	Columns int    `json:"c"`
}

// stack is what the script of a page goes through.
type stack struct {
	Base   string                   `json:"base"`
	At     int                      `json:"at"`
	Total  int                      `json:"total"`
	Rate   float64                  `json:"rate"`
	Window string                   `json:"window"`
	Alt    string                   `json:"alt"`
	Why    map[dicomweb.Code]string `json:"why"`
	Under  []string                 `json:"under"`
	List   []stacked                `json:"list"`
}

// stack is the images of a series and how many frames each has, as JSON; of a series with more than a page names
// there is none, and each place is a page.
func (s *showing) stack(p *place, list []instance, shown int) string {
	if len(list) > stackMost {
		return ""
	}

	out := stack{Base: s.base, At: p.Place, Total: p.Places, Rate: p.rate, Why: p.L.whys(list[shown].syntax), Alt: p.L.Alt, Under: p.under}
	for _, w := range p.Windows {
		if w.Chosen {
			out.Window = w.Value
		}
	}
	for i, x := range list {
		here := x.kind() == aPicture && p.kind == aPicture && x.decodes() || i == shown
		out.List = append(out.List, stacked{x.path, x.frames, here, x.rows, x.columns})
	}
	b, _ := json.Marshal(out) // strings and numbers always marshal
	return string(b)
}

// The bounds of how fast frames are played, in frames a second, and what counts where an image does not say.
const (
	rateLeast, rateMost, rateUsual = 1, 60, 10
)

// rate is how many frames a second an image is meant to be played with (PS3.3 C.7.6.5, C.7.6.6).
func rate(ds *dicom.DataSet) float64 {
	for _, t := range []dicom.Tag{tag.RecommendedDisplayFrameRate, tag.CineRate} {
		if v, ok := ds.Float(t); ok && v > 0 {
			return min(max(v, rateLeast), rateMost)
		}
	}
	if v, ok := ds.Float(tag.FrameTime); ok && v > 0 { // in milliseconds
		return min(max(1000/v, rateLeast), rateMost)
	}
	return rateUsual
}
