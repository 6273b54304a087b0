package media

import (
	"fmt"
	"path"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// placing is where an object goes: its record, and the records above it that are
// not there yet. Nothing of it counts until the object was copied.
type placing struct {
	added   Added
	leaf    *node
	patient level
	study   level
	series  level
}

// level is a record above an object.
type level struct {
	key   string // by which it is found again
	node  *node
	fresh bool
}

// most is how many a folder holds: the digits that a name has behind two letters.
const most = 1_000_000

// place finds the place of an object. Its error is a *LeftOutError.
func (w *Writer) place(o *object) (*placing, error) {
	switch {
	case w.instances[o.uid]:
		return nil, &LeftOutError{Tag: tag.SOPInstanceUID, Reason: "an object of this UID is in the file-set already"}
	case len(w.instances) >= w.limits.Records:
		return nil, &LeftOutError{Reason: fmt.Sprintf("the file-set has %d objects, and may have no more", w.limits.Records)}
	}

	p := &placing{added: Added{Type: TypeOf(o.class)}}
	above := &w.root
	if recordTypes[typeIndex(string(p.added.Type))].level == instanceLevel {
		if err := w.levels(o, p); err != nil {
			return nil, err
		}
		above = p.series.node
	}
	return p, p.record(o, above)
}

// record makes the record of the object itself.
func (p *placing) record(o *object, above *node) error {
	n := len(above.children)
	if n >= most {
		return &LeftOutError{Reason: "its folder is full"}
	}

	name := fmt.Sprintf("IM%06d", n)
	folder := above.folder
	if above.above == nil && folder == "" {
		name = fmt.Sprintf("OB%06d", n)
		folder = "OTHER"
	}
	p.added.FileID = strings.Split(path.Join(folder, name), "/")

	ref := Reference{FileID: p.added.FileID, SOPClassUID: o.class, SOPInstanceUID: o.uid, TransferSyntaxUID: o.syntax}
	record, made, err := compose(p.added.Type, o.ds, n+1, &ref)
	p.added.Made = append(p.added.Made, made...)
	p.leaf = &node{record: record, above: above}
	return err
}

// levels finds or makes patient, study and series of an object.
func (w *Writer) levels(o *object, p *placing) error {
	for _, t := range []dicom.Tag{tag.StudyInstanceUID, tag.SeriesInstanceUID} {
		if !uid.Tolerable(o.ds.Text(t)) {
			return &LeftOutError{Tag: t, Reason: "it is missing or malformed, and a directory record needs it"}
		}
	}

	p.patient.key = patientKey(o.ds)
	p.study.key = o.ds.Text(tag.StudyInstanceUID)
	p.series.key = o.ds.Text(tag.SeriesInstanceUID)

	if err := p.level(&p.patient, Patient, "PT", &w.root, w.patients, o.ds); err != nil {
		return err
	}
	if err := p.level(&p.study, Study, "ST", p.patient.node, w.studies, o.ds); err != nil {
		return err
	}
	return p.level(&p.series, Series, "SE", p.study.node, w.series, o.ds)
}

// patientKey is what makes a patient: an ID with its issuer, and the name, so that
// nobody's images stand under the name of another one who has the same ID. Without an ID
// it is the study.
func patientKey(ds *dicom.DataSet) string {
	id := ds.Text(tag.PatientID)
	if id == "" {
		return "study\x00" + ds.Text(tag.StudyInstanceUID)
	}
	name := strings.ToUpper(strings.TrimRight(ds.Text(tag.PatientName), "^= "))
	return strings.Join([]string{"patient", id, ds.Text(tag.IssuerOfPatientID), name}, "\x00")
}

// level finds a record, or makes it.
func (p *placing) level(l *level, t Type, letters string, above *node, known map[string]*node, ds *dicom.DataSet) error {
	if n, ok := known[l.key]; ok {
		if n.above != above {
			return &LeftOutError{Tag: identities[t], Reason: "its " + lower(t) + " is in the file-set already, of another patient or study"}
		}
		l.node = n
		return nil
	}

	n := len(above.children)
	if n >= most {
		return &LeftOutError{Reason: "its folder is full"}
	}
	record, made, err := compose(t, ds, n+1, nil)
	if err != nil {
		return err
	}
	p.added.Made = append(p.added.Made, made...)
	l.node = &node{record: record, above: above, folder: path.Join(above.folder, fmt.Sprintf("%s%06d", letters, n))}
	l.fresh = true
	return nil
}

// settle makes the place of an object count.
func (w *Writer) settle(o *object, p *placing) {
	w.instances[o.uid] = true
	w.syntaxes[o.syntax] = true
	for _, l := range []struct {
		level level
		known map[string]*node
	}{{p.patient, w.patients}, {p.study, w.studies}, {p.series, w.series}} {
		if l.level.fresh {
			l.known[l.level.key] = l.level.node
			l.level.node.above.children = append(l.level.node.above.children, l.level.node)
		}
	}
	p.leaf.above.children = append(p.leaf.above.children, p.leaf)
}
