package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"collimator/internal/fault"
)

// showing is what the pages of a study ask DICOMweb with, in the name of one browser, and where they stand.
// Addresses of pages count series and frames, so that nothing of a patient is in them but, for who is signed in, the
// study that was asked for.
type showing struct {
	images http.Handler
	own    *http.Request // in whose name
	root   string        // of DICOMweb
	base   string        // with which addresses of pictures begin
	page   string        // path of these pages
	keep   url.Values    // what their addresses keep
}

// study is one that is shown.
type study struct {
	L                          lightWords
	Patient, Date, Description string
	Series                     []series
	Link                       bool // a link, which can be closed
	path                       string
}

// series is one of a study.
type series struct {
	Modality, Description string
	Number                int // from 1, in the order of the pages
	Count, Frames         int
	Cover, Address, Kind  string // of the picture that stands for it, of its page, and what it is where there is none
	path, uid             string
	order                 string
}

// instance is one of a series.
type instance struct {
	path, class, syntax string
	uid                 string
	number, frames      int
	rows, columns       int
}

// instancesMost is how many instances of a series are looked at, listPage how many come at a time.
const (
	instancesMost = 20_000
	listPage      = 1000
)

// found is the study of the address: the one that was asked for, or that of the link.
func (s *showing) found(l lightWords) (*study, error) {
	asked := url.Values{"includefield": {"PatientName,StudyDate,StudyDescription"}, "limit": {"2"}}
	if uid := s.keep.Get("study"); uid != "" {
		asked.Set("StudyInstanceUID", uid)
	}
	list, err := s.search("/studies?" + asked.Encode())
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		kind := fault.Denied // this browser has not opened a link to one study
		if s.keep.Has("study") {
			kind = fault.NotFound
		}
		return nil, fault.New(kind, "console: there is not one study to be shown to this browser")
	}

	x := list[0]
	v := &study{
		L:           l,
		Patient:     clipped(strings.ReplaceAll(x.text("00100010"), "^", " ")),
		Date:        l.day(x.text("00080020")),
		Description: clipped(x.text("00081030")),
		Link:        s.keep == nil,
		path:        "/studies/" + url.PathEscape(x.text("0020000D")),
	}

	below, err := s.search(v.path + "/series?includefield=Modality,SeriesDescription,SeriesNumber&limit=1000")
	if err != nil {
		return nil, err
	}
	for _, e := range below {
		v.Series = append(v.Series, series{
			Modality: clipped(e.text("00080060")), Description: clipped(e.text("0008103E")),
			path: v.path + "/series/" + url.PathEscape(e.text("0020000E")), uid: e.text("0020000E"), order: e.order("00200011", "0020000E"),
		})
	}
	slices.SortStableFunc(v.Series, func(a, b series) int { return cmp.Compare(a.order, b.order) })
	for i := range v.Series {
		v.Series[i].Number = i + 1
		v.Series[i].Address = s.address(i+1, 1)
	}
	return v, nil
}

// address is that of the page of a place of a series.
func (s *showing) address(series, place int) string {
	q := url.Values{"series": {strconv.Itoa(series)}, "frame": {strconv.Itoa(place)}}
	for name, v := range s.keep {
		q[name] = v
	}
	return s.page + "?" + q.Encode()
}

// home is the address of the page of the study.
func (s *showing) home() string {
	if len(s.keep) == 0 {
		return s.page
	}
	return s.page + "?" + s.keep.Encode()
}

// overview is the study with a picture for each series.
func (s *showing) overview(l lightWords) (*study, error) {
	v, err := s.found(l)
	if err != nil {
		return nil, err
	}

	for i := range v.Series {
		e := &v.Series[i]
		list, err := s.instances(e.path)
		if err != nil {
			return nil, err
		}
		e.Count = len(list)
		for _, x := range list {
			e.Frames += x.frames
		}
		e.Kind = s.cover(l, e, list)
	}
	return v, nil
}

// cover chooses the picture that stands for a series, from its middle on; without one it says what the series is.
func (s *showing) cover(l lightWords, e *series, list []instance) string {
	for i := range list {
		x := list[(len(list)/2+i)%len(list)]
		if x.pictured() && i < coverTries && s.works(x.path+"/thumbnail?viewport=1,1") {
			e.Cover = s.base + x.path + "/thumbnail?viewport=160,160"
			return ""
		}
	}
	if len(list) == 0 {
		return l.Empty
	}
	return l.kind(list[0].kind())
}

// coverTries is how many pictures are tried for a series.
const coverTries = 4

// instances are those of a series, in their order.
func (s *showing) instances(path string) (out []instance, err error) {
	type placed struct {
		instance
		order string
	}
	var all []placed
	for from := 0; from < instancesMost; from += listPage {
		list, err := s.search(path + "/instances?limit=" + strconv.Itoa(listPage) + "&offset=" + strconv.Itoa(from) +
			"&includefield=InstanceNumber,NumberOfFrames,Rows,Columns")
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			uid := x.text("00080018")
			all = append(all, placed{instance{
				path: path + "/instances/" + url.PathEscape(uid), uid: uid,
				class: x.text("00080016"), syntax: x.text("00083002"),
				frames: min(max(number(x.text("00280008")), 1), framesMost),
				rows:   number(x.text("00280010")), columns: number(x.text("00280011")),
				number: number(x.text("00200013")),
			}, x.order("00200013", "00080018")})
		}
		if len(list) < listPage {
			break
		}
	}

	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.order, b.order) })
	for _, x := range all {
		out = append(out, x.instance)
	}
	return out, nil
}

// framesMost bounds the frames of an instance that are counted: its header may say anything.
const framesMost = 1 << 20

// match is one answer of a search (PS3.18 F.2).
type match map[string]struct{ Value []json.RawMessage }

// text is the first value of an attribute.
func (m match) text(tag string) string {
	v := m[tag].Value
	if len(v) == 0 {
		return ""
	}

	var s string
	if json.Unmarshal(v[0], &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(v[0], &n) == nil {
		return n.String()
	}

	var name struct{ Alphabetic, Ideographic, Phonetic string }
	if json.Unmarshal(v[0], &name) == nil {
		return cmp.Or(name.Alphabetic, name.Ideographic, name.Phonetic)
	}
	return ""
}

// order is what sorts by a number, what has none last, and then by a UID.
func (m match) order(numberTag, uidTag string) string {
	n, err := strconv.Atoi(m.text(numberTag))
	if err != nil || n < 0 {
		n = 1 << 40
	}
	return strconv.Itoa(1<<41+n) + " " + m.text(uidTag)
}

// search asks DICOMweb in the name of the browser.
func (s *showing) search(path string) ([]match, error) {
	a, err := s.get(http.MethodGet, path, "application/dicom+json")
	if err != nil {
		return nil, err
	}

	switch {
	case a.status == http.StatusNoContent:
		return nil, nil
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return nil, fault.New(fault.Denied, "console: no link is open")
	case a.status == http.StatusNotFound, a.status == http.StatusBadRequest:
		return nil, fault.New(fault.NotFound, "console: there is nothing at that address")
	case a.status != http.StatusOK || a.long:
		return nil, fault.New(fault.Unavailable, "console: the archive does not answer")
	}

	var list []match
	if json.Unmarshal(a.body.Bytes(), &list) != nil {
		return nil, fault.New(fault.Internal, "console: the answer of the archive cannot be read")
	}
	return list, nil
}

// get asks DICOMweb for what is at a path below its root.
func (s *showing) get(method, path, accept string) (*answer, error) {
	return inside(s.images, s.own, method, s.root+path, nil, "Accept", accept)
}

// works reports whether a browser would get something there.
func (s *showing) works(path string) bool {
	a, err := s.get(http.MethodHead, path, "*/*")
	return err == nil && a.status == http.StatusOK
}

// number reads a number of an address or an attribute; 0 where it is none.
func number(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// clipped is a text of one line that is shown: of what is longer than a line may be, the beginning.
func clipped(text string) string {
	const most = 300
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
