// Package report reads what is text in an object: structured reports (PS3.3 A.35, C.17.3), the structures and plans of
// radiotherapy (PS3.3 A.19, A.20, A.49), presentation states (PS3.3 A.33) and the narrative of CDA documents (PS3.3
// A.45.2), as lines to be shown. It interprets no template, draws nothing, and follows no reference.
package report

import (
	"errors"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// ErrNone is for an object of which no report is made.
var ErrNone = errors.New("dicom/report: the object is no report")

// Report is what an object says. Its texts are as they were sent: whoever shows them escapes them.
type Report struct {
	Lines []Line
	// Cut is set where lines are missing because there are more than the limits allow.
	Cut bool `json:",omitempty"`
}

// Line is one of a report. Label is what it says by itself, Name what the object calls it.
type Line struct {
	Depth   int  `json:",omitempty"` // how far it stands in, from 0
	Heading bool `json:",omitempty"`
	Label   Label
	Name    string      `json:",omitempty"`
	Value   string      `json:",omitempty"`
	Refs    []Reference `json:",omitempty"`
}

// Reference names another instance, which may be anywhere.
type Reference struct {
	SOPClassUID, SOPInstanceUID string
	Frames                      []int64 `json:",omitempty"`
}

// Limits bound what is made of an object. A field that is zero has its default.
type Limits struct {
	Lines int   // default 20,000
	Depth int   // of content items; default 32
	Bytes int64 // of all texts, and of a document that is read; default 4 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Lines == 0 {
		l.Lines = 20_000
	}
	if l.Depth == 0 {
		l.Depth = 32
	}
	if l.Bytes == 0 {
		l.Bytes = 4 << 20
	}
	return l
}

// writer collects lines within limits.
type writer struct {
	limits Limits
	bytes  int64
	out    Report
}

// line adds one; false where there is no room for it.
func (w *writer) line(l Line) bool {
	l.Depth = min(l.Depth, w.limits.Depth)
	w.bytes += int64(len(l.Name) + len(l.Value) + 100*len(l.Refs))
	if len(w.out.Lines) >= w.limits.Lines || w.bytes > w.limits.Bytes {
		w.out.Cut = true
		return false
	}
	w.out.Lines = append(w.out.Lines, l)
	return true
}

// value adds a line where there is a value.
func (w *writer) value(depth int, label Label, value string) {
	if value != "" {
		w.line(Line{Depth: depth, Label: label, Value: value})
	}
}

// full reports that nothing more is taken.
func (w *writer) full() bool { return w.out.Cut }

// reader reads an object of a kind.
type reader func(w *writer, ds *dicom.DataSet) error

// readerOf is how an object is read; nil for one that is no report.
func readerOf(ds *dicom.DataSet) reader {
	class := ds.Text(tag.SOPClassUID)
	switch {
	case class == uid.RTStructureSetStorage:
		return structures
	case class == uid.RTPlanStorage, class == uid.RTIonPlanStorage:
		return plan
	case strings.HasPrefix(class, "1.2.840.10008.5.1.4.1.1.11."):
		return presentation
	case ds.Has(tag.EncapsulatedDocument):
		if t := dicom.MediaType(ds.Text(tag.MIMETypeOfEncapsulatedDocument)); t == "text/xml" || t == "application/xml" {
			return document
		}
	case ds.Has(tag.ContentSequence) || ds.Text(tag.ValueType) == container:
		return content
	}
	return nil
}

// Has reports an object of which Of makes a report.
func Has(ds *dicom.DataSet) bool { return readerOf(ds) != nil }

// Of is the report of an object. ErrNone for one that is none; other errors are those of reading a document, and of
// one that is no XML. Text that was left in the stream is read within the limits.
func Of(ds *dicom.DataSet, l Limits) (*Report, error) {
	read := readerOf(ds)
	if read == nil {
		return nil, ErrNone
	}
	w := &writer{limits: l.withDefaults()}
	if err := read(w, ds); err != nil {
		return nil, err
	}
	return &w.out, nil
}

// text is the first value of an element, read from the stream where it was left there.
func (w *writer) text(ds *dicom.DataSet, t dicom.Tag) string {
	el, ok := ds.Get(t)
	if !ok {
		return ""
	}
	if _, left := el.Bulk(); left {
		loaded, err := el.Load(w.limits.Bytes)
		if err != nil {
			w.out.Cut = true
			return ""
		}
		copied := ds.NewItem()
		copied.Set(loaded)
		return copied.Text(t)
	}
	return ds.Text(t)
}

// name is a person's, as it is read.
func name(ds *dicom.DataSet, t dicom.Tag) string {
	n := ds.PersonName(t)
	for _, g := range []dicom.NameGroup{n.Alphabetic(), n.Ideographic(), n.Phonetic()} {
		if text := strings.Join(strings.Fields(strings.ReplaceAll(g.Reveal(), "^", " ")), " "); text != "" {
			return text
		}
	}
	return ""
}

// meaning is what a code of a sequence means, else the code (PS3.3 8.8).
func meaning(ds *dicom.DataSet, t dicom.Tag) string {
	for _, code := range ds.Items(t) {
		for _, c := range []dicom.Tag{tag.CodeMeaning, tag.CodeValue, tag.LongCodeValue, tag.URNCodeValue} {
			if v := code.Text(c); v != "" {
				return v
			}
		}
	}
	return ""
}

// references are the instances that a sequence names, up to a number of them.
func references(ds *dicom.DataSet, t dicom.Tag) (out []Reference) {
	const most = 1000
	for _, r := range ds.Items(t) {
		if len(out) == most {
			return out
		}
		frames := r.Ints(tag.ReferencedFrameNumber)
		out = append(out, Reference{
			SOPClassUID: r.Text(tag.ReferencedSOPClassUID), SOPInstanceUID: r.Text(tag.ReferencedSOPInstanceUID), Frames: frames[:min(len(frames), most)],
		})
	}
	return out
}
