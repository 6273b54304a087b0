package audit

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// unknown is the ID of a study or a patient that the event's table asks for and
// the record does not know.
//
// Deviation: PS3.15 A.5.3.7 and others want at least one study and patient; of an
// image that could not be read nothing is known, and the failure is told all the
// same.
const unknown = "unknown"

// objects are what was acted upon, as the event's table has it, each with a name
// or a query: one of the two is required (PS3.15 A.5.3.3 and others). The name of
// a patient is left out, which the tables allow.
func objects(r Record, source string) []participantObject {
	list := found(r, source)
	for i, o := range list {
		if len(o.Query) == 0 && o.Type != personType && o.Name == "" {
			list[i].Name = o.ID
		}
	}
	return list
}

// personType is the type of an object that is a person.
const personType = "1"

func found(r Record, source string) []participantObject {
	switch family(r.Event) {
	case transfers, exports, accesses:
		return append(studies(r), patients(r)...)
	case queries:
		return queried(r)
	case alerts:
		return subjects(r, source)
	case readings:
		return []participantObject{trailObject(r)}
	}
	return nil
}

// acted are the objects without the person for whom somebody acts.
func acted(r Record) []Object {
	if r.actsFor() != "" {
		return r.Objects[1:]
	}
	return r.Objects
}

// studies are the studies of images (PS3.15 A.5.2.4), each once.
func studies(r Record) (list []participantObject) {
	at := map[string]int{}
	classes := map[string]map[string]int{}
	for _, o := range acted(r) {
		id := o.Study
		switch {
		case id == "" && len(o.SOPClasses)+o.Instances+o.Failed == 0:
			continue
		case id == "":
			id = unknown
		}

		if _, ok := at[id]; !ok {
			at[id] = len(list)
			classes[id] = map[string]int{}
			list = append(list, studyObject(id))
		}
		for class, n := range o.SOPClasses {
			classes[id][class] += n
		}
	}

	if len(list) == 0 {
		return []participantObject{studyObject(unknown)}
	}
	for id, i := range at {
		list[i].Description = describeClasses(classes[id])
	}
	return list
}

func studyObject(id string) participantObject {
	return participantObject{ID: id, Type: "2", Role: "3", IDType: dcm("110180", "Study Instance UID")}
}

func describeClasses(classes map[string]int) *objectDescription {
	if len(classes) == 0 {
		return nil
	}

	d := &objectDescription{}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		d.Classes = append(d.Classes, sopRef{class, classes[class]})
	}

	return d
}

// patients are those of the studies, each once, as an HL7 CX: ID^^^issuer.
func patients(r Record) (list []participantObject) {
	seen := map[string]bool{}
	for _, o := range acted(r) {
		id := o.Patient
		if id != "" && o.PatientIssuer != "" {
			id += "^^^" + o.PatientIssuer
		}

		if id != "" && !seen[id] {
			seen[id] = true
			list = append(list, patientObject(id))
		}
	}

	if len(list) == 0 {
		return []participantObject{patientObject(unknown)}
	}
	return list
}

func patientObject(id string) participantObject {
	return participantObject{ID: id, Type: personType, Role: "1", IDType: code{"2", "RFC-3881", "Patient Number"}}
}

// queried is the query (PS3.15 A.5.3.10): the SOP Class and the keys of one of
// DICOM; of another protocol what it was restricted by.
func queried(r Record) (list []participantObject) {
	for _, o := range acted(r) {
		if o.SOPClass == "" {
			list = append(list, participantObject{
				ID: way(r.Door), Type: "2", Role: "24", IDType: code{"10", "RFC-3881", "Search Criteria"}, Query: encode(o.Query),
			})
			continue
		}

		list = append(list, participantObject{
			ID: o.SOPClass, Type: "2", Role: "3", IDType: dcm("110181", "SOP Class UID"),
			Query:   encode(string(keys(o.Query))),
			Details: []objectDetail{{"TransferSyntax", string(encode(uid.ExplicitVRLittleEndian))}},
		})
	}
	return list
}

// way is the protocol of a query that came otherwise than by DICOM.
func way(door Door) string {
	if door == "" {
		return unknown
	}

	return string(door)
}

// keys is the data set of a query, in Explicit VR Little Endian.
//
// Deviation: PS3.15 A.5.3.10 wants the data set with its values. Names and numbers
// that somebody typed are not part of the trail: the keys that restricted the query
// are there, without values, and the level.
func keys(query string) []byte {
	ds := dicom.NewDataSet()
	for word := range strings.FieldsSeq(query) {
		if t, err := tag.Parse(word); err == nil {
			ds.Set(dicom.NewElement(t, dicom.VRFor(t), nil))
		} else if slices.Contains([]string{"PATIENT", "STUDY", "SERIES", "IMAGE"}, word) {
			ds.Set(dicom.NewElement(tag.QueryRetrieveLevel, dicom.CS, []byte(word+strings.Repeat(" ", len(word)%2))))
		}
	}

	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		return nil // not of such elements
	}
	return b.Bytes()
}

// trailAddress is the URI of the trail, within an installation.
const trailAddress = "/api/v1/audit"

// trailObject is the trail that was read (PS3.15 A.5.3.2), with what was asked for.
func trailObject(r Record) participantObject {
	p := participantObject{
		ID: trailAddress, Name: "Security Audit Log", Type: "2", Role: "13", IDType: code{"12", "RFC-3881", "URI"},
	}

	for _, o := range acted(r) {
		if o.Detail != "" {
			p.Details = append(p.Details, objectDetail{"Selection", string(encode(o.Detail))})
		}
	}
	return p
}

func encode(s string) []byte { return []byte(base64.StdEncoding.EncodeToString([]byte(s))) }

// subjects are what an alert is about (PS3.15 A.5.3.11); this installation where it
// has no name.
func subjects(r Record, source string) (list []participantObject) {
	for _, o := range acted(r) {
		p := participantObject{Type: "2", Role: "13"} // security resource
		switch {
		case o.Study != "":
			p.ID = o.Study
			p.IDType = dcm("110180", "Study Instance UID")
			p.Description = describeClasses(o.SOPClasses)
		case o.Person != "":
			p.ID = o.Person
			p.IDType = code{"11", "RFC-3881", "User Identifier"}
		case o.Device != "":
			p.ID = o.Device
			p.IDType = dcm("110182", "Node ID")
		default:
			p.ID = source
			p.IDType = dcm("110182", "Node ID")
		}

		p.Details = []objectDetail{{"Alert Description", string(encode(described(r, o)))}}
		list = append(list, p)
	}
	return list
}

// described says what an alert is about, which its table demands (PS3.15 A.5.3.11).
func described(r Record, o Object) string {
	return cmp.Or(o.Detail, r.Reason, string(r.Event))
}
