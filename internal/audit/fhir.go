package audit

import (
	"encoding/json"
	"strconv"
)

// FHIR is a record as an AuditEvent resource of FHIR R4: one JSON object
// without line breaks. The codes are those of the message of PS3.15 A.5.1.
func FHIR(r Record, source string) ([]byte, error) {
	m := NewMessage(r, source)
	ev := auditEvent{
		Type:     "AuditEvent",
		ID:       strconv.FormatInt(r.Sequence, 10),
		Code:     coding(m.Event.ID),
		Action:   string(m.Event.Action),
		Recorded: m.Event.Time,
		Outcome:  m.Event.Outcome,
		Why:      m.Event.Why,
		Source: fhirSource{
			Observer: fhirReference{Display: source},
			Type: []fhirCoding{{
				System: "http://terminology.hl7.org/CodeSystem/security-source-type", Code: "4", Display: "Application Server",
			}},
		},
	}

	if m.Event.Type != nil {
		ev.Subtype = []fhirCoding{coding(*m.Event.Type)}
	}

	for _, p := range m.Participants {
		ev.Agents = append(ev.Agents, fhirAgentOf(p))
	}
	for _, o := range m.Objects {
		ev.Entities = append(ev.Entities, fhirEntityOf(o))
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
	Media     *fhirCoding   `json:"media,omitempty"`
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
	Type   string `json:"type"`
	Value  string `json:"valueString,omitempty"`
	Binary string `json:"valueBase64Binary,omitempty"`
}

func coding(c code) fhirCoding {
	return fhirCoding{System: "http://dicom.nema.org/resources/ontology/DCM", Code: c.Code, Display: c.Text}
}

func fhirAgentOf(p activeParticipant) fhirAgent {
	a := fhirAgent{
		Who:       fhirReference{Identifier: &fhirIdentifier{Value: p.UserID}},
		AltID:     p.Alternative,
		Requestor: p.Requestor,
	}
	if p.Role != nil {
		a.Type = &fhirConcept{[]fhirCoding{coding(*p.Role)}}
	}

	if p.Media != nil {
		c := coding(p.Media.Type)
		a.Media = &c
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

// fhirEntityOf is an object of the message; type and role have the same codes.
func fhirEntityOf(o participantObject) fhirEntity {
	types := map[string]string{"1": "Person", "2": "System Object"}
	roles := map[string]string{"1": "Patient", "3": "Report", "13": "Security Resource", "24": "Query"}

	e := fhirEntity{
		What:  &fhirReference{Identifier: &fhirIdentifier{Value: o.ID}},
		Type:  fhirCoding{entityType, o.Type, types[o.Type]},
		Role:  fhirCoding{entityRole, o.Role, roles[o.Role]},
		Name:  o.Name,
		Query: string(o.Query),
	}

	if o.ID != unknown && (o.IDType.Code == "110180" || o.IDType.Code == "110181") {
		e.What.Identifier.System = "urn:dicom:uid"
		e.What.Identifier.Value = "urn:oid:" + o.ID
	}

	for _, d := range o.Details {
		e.Details = append(e.Details, fhirDetail{Type: d.Type, Binary: d.Value})
	}
	if o.Description != nil {
		for _, c := range o.Description.Classes {
			e.Details = append(e.Details, fhirDetail{Type: c.UID, Value: strconv.Itoa(c.Instances)})
		}
	}
	return e
}
