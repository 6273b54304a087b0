package audit

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// FHIR is a record as an AuditEvent resource of FHIR R4: one JSON object
// without line breaks. The codes are those of the message of PS3.15 A.5.1.
func FHIR(r Record, source string) ([]byte, error) {
	codes := eventCodes[r.Event]
	ev := auditEvent{
		Type: "AuditEvent", Code: coding(codes.id), Action: string(r.Action), Recorded: r.Time.UTC().Format(time.RFC3339Nano),
		Outcome: strconv.Itoa(int(r.Outcome)), Why: why(r), ID: strconv.FormatInt(r.Sequence, 10),
		Source: fhirSource{Observer: fhirReference{Display: source}, Type: []fhirCoding{{System: "http://terminology.hl7.org/CodeSystem/security-source-type", Code: "4", Display: "Application Server"}}},
	}
	if codes.kind.Code != "" {
		ev.Subtype = []fhirCoding{coding(codes.kind)}
	}
	for _, p := range participants(r, source) {
		ev.Agents = append(ev.Agents, fhirAgentOf(p))
	}
	for _, o := range r.Objects {
		ev.Entities = append(ev.Entities, fhirEntities(o)...)
	}
	return json.Marshal(ev)
}

type auditEvent struct {
	Type     string       `json:"resourceType"`
	ID       string       `json:"id,omitempty"`
	Code     fhirCoding   `json:"type"`
	Subtype  []fhirCoding `json:"subtype,omitempty"`
	Action   string       `json:"action,omitempty"`
	Recorded string       `json:"recorded"`
	Outcome  string       `json:"outcome"`
	Why      string       `json:"outcomeDesc,omitempty"`
	Agents   []fhirAgent  `json:"agent"`
	Source   fhirSource   `json:"source"`
	Entities []fhirEntity `json:"entity,omitempty"`
}

type fhirCoding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

type fhirConcept struct {
	Coding []fhirCoding `json:"coding"`
}

type fhirReference struct {
	Identifier *fhirIdentifier `json:"identifier,omitempty"`
	Display    string          `json:"display,omitempty"`
}

type fhirIdentifier struct {
	System string `json:"system,omitempty"`
	Value  string `json:"value"`
}

type fhirAgent struct {
	Type      *fhirConcept  `json:"type,omitempty"`
	Who       fhirReference `json:"who"`
	AltID     string        `json:"altId,omitempty"`
	Requestor bool          `json:"requestor"`
	Network   *fhirNetwork  `json:"network,omitempty"`
}

type fhirNetwork struct {
	Address string `json:"address"`
	Type    string `json:"type"`
}

type fhirSource struct {
	Observer fhirReference `json:"observer"`
	Type     []fhirCoding  `json:"type"`
}

type fhirEntity struct {
	What    *fhirReference `json:"what,omitempty"`
	Type    fhirCoding     `json:"type"`
	Role    fhirCoding     `json:"role"`
	Name    string         `json:"name,omitempty"`
	Query   string         `json:"query,omitempty"`
	Details []fhirDetail   `json:"detail,omitempty"`
}

type fhirDetail struct {
	Type  string `json:"type"`
	Value string `json:"valueString"`
}

func coding(c code) fhirCoding {
	return fhirCoding{System: "http://dicom.nema.org/resources/ontology/DCM", Code: c.Code, Display: c.Text}
}

func fhirAgentOf(p activeParticipant) fhirAgent {
	a := fhirAgent{Who: fhirReference{Identifier: &fhirIdentifier{Value: p.UserID}}, AltID: p.Alternative, Requestor: p.Requestor}
	if p.Role != nil {
		a.Type = &fhirConcept{[]fhirCoding{coding(*p.Role)}}
	}
	if p.Address != "" {
		a.Network = &fhirNetwork{p.Address, p.AddressType}
	}
	return a
}

// Code systems of entities.
const (
	entityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	entityRole = "http://terminology.hl7.org/CodeSystem/object-role"
)

func fhirEntities(o Object) (list []fhirEntity) {
	if o.Study != "" {
		e := fhirEntity{
			What: &fhirReference{Identifier: &fhirIdentifier{System: "urn:dicom:uid", Value: "urn:oid:" + o.Study}},
			Type: fhirCoding{entityType, "2", "System Object"}, Role: fhirCoding{entityRole, "3", "Report"},
		}
		for _, class := range slices.Sorted(maps.Keys(o.SOPClasses)) {
			e.Details = append(e.Details, fhirDetail{class, strconv.Itoa(o.SOPClasses[class])})
		}
		list = append(list, e)
	}
	if o.Query != "" {
		list = append(list, fhirEntity{Type: fhirCoding{entityType, "2", "System Object"}, Role: fhirCoding{entityRole, "24", "Query"},
			Query: base64.StdEncoding.EncodeToString([]byte(o.Query))})
	}
	for _, name := range []string{o.Device, o.Person} {
		if name != "" {
			list = append(list, fhirEntity{What: &fhirReference{Identifier: &fhirIdentifier{Value: name}}, Type: fhirCoding{entityType, "1", "Person"},
				Role: fhirCoding{entityRole, "11", "Security User Entity"}, Name: o.Detail})
		}
	}
	return list
}
