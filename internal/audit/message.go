package audit

import (
	"encoding/xml"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Message is a record in the form other systems read: the audit message of
// PS3.15 A.5.1, which RFC 5424 carries to an audit record repository.
type Message struct {
	XMLName      xml.Name            `xml:"AuditMessage"`
	Event        eventIdentification `xml:"EventIdentification"`
	Participants []activeParticipant `xml:"ActiveParticipant"`
	Source       auditSource         `xml:"AuditSourceIdentification"`
	Objects      []participantObject `xml:"ParticipantObjectIdentification"`
}

// code is a coded value (PS3.15 A.5.1): the message gives the code, its system
// and what it means.
type code struct {
	Code   string `xml:"csd-code,attr"`
	System string `xml:"codeSystemName,attr"`
	Text   string `xml:"originalText,attr"`
}

type eventIdentification struct {
	Action  Action `xml:"EventActionCode,attr,omitempty"`
	Time    string `xml:"EventDateTime,attr"`
	Outcome string `xml:"EventOutcomeIndicator,attr"`
	ID      code   `xml:"EventID"`
	Type    *code  `xml:"EventTypeCode"`
	Why     string `xml:"EventOutcomeDescription,omitempty"`
}

type activeParticipant struct {
	UserID      string `xml:"UserID,attr"`
	Alternative string `xml:"AlternativeUserID,attr,omitempty"`
	Requestor   bool   `xml:"UserIsRequestor,attr"`
	Address     string `xml:"NetworkAccessPointID,attr,omitempty"`
	AddressType string `xml:"NetworkAccessPointTypeCode,attr,omitempty"`
	Role        *code  `xml:"RoleIDCode"`
}

type auditSource struct {
	ID string `xml:"AuditSourceID,attr"`
}

type participantObject struct {
	ID      string   `xml:"ParticipantObjectID,attr"`
	Type    string   `xml:"ParticipantObjectTypeCode,attr"`
	Role    string   `xml:"ParticipantObjectTypeCodeRole,attr"`
	IDType  code     `xml:"ParticipantObjectIDTypeCode"`
	Name    string   `xml:"ParticipantObjectName,omitempty"`
	Classes []sopRef `xml:"ParticipantObjectDescription>SOPClass"`
}

type sopRef struct {
	UID       string `xml:"UID,attr"`
	Instances int    `xml:"NumberOfInstances,attr"`
}

func dcm(c, text string) code { return code{c, "DCM", text} }

// eventCodes are the coded events of PS3.15 A.5.3 (PS3.16 CID 400) and, where one event has
// several, their types (PS3.16 CID 401).
var eventCodes = map[Event]struct{ id, kind code }{
	ApplicationStart:  {dcm("110100", "Application Activity"), dcm("110120", "Application Start")},
	ApplicationStop:   {dcm("110100", "Application Activity"), dcm("110121", "Application Stop")},
	Transferring:      {id: dcm("110102", "Begin Transferring DICOM Instances")},
	Transferred:       {id: dcm("110104", "DICOM Instances Transferred")},
	Export:            {id: dcm("110106", "Export")},
	NetworkEntry:      {id: dcm("110108", "Network Entry")},
	Query:             {id: dcm("110112", "Query")},
	SecurityAlert:     {dcm("110113", "Security Alert"), dcm("110126", "Node Authentication")},
	UserAuthenticated: {dcm("110114", "User Authentication"), dcm("110122", "Login")},
	UserSignedOut:     {dcm("110114", "User Authentication"), dcm("110123", "Logout")},
	EmergencyAccess:   {dcm("110113", "Security Alert"), dcm("110127", "Emergency Override Started")},
	Commitment:        {id: dcm("110103", "DICOM Instances Accessed")},
	StudyDeleted:      {id: dcm("110105", "DICOM Study Deleted")},
	InstancesDeleted:  {id: dcm("110103", "DICOM Instances Accessed")},
	Verification:      {dcm("110108", "Network Entry"), dcm("110124", "Attach")},
	DeviceChanged:     {dcm("110113", "Security Alert"), dcm("110129", "Security Configuration")},
	InventoryChanged:  {dcm("110113", "Security Alert"), dcm("110129", "Security Configuration")},
	PersonChanged:     {dcm("110113", "Security Alert"), dcm("110137", "User Security Attributes Changed")},
	Scanned:           {dcm("110113", "Security Alert"), dcm("110132", "Use of Restricted Function")},
	Maintained:        {dcm("110113", "Security Alert"), dcm("110132", "Use of Restricted Function")},
	QuarantineChanged: {dcm("110113", "Security Alert"), dcm("110135", "Object Security Attributes Changed")},
}

// NewMessage puts a record into the form of PS3.15 A.5.1. source names this
// installation.
func NewMessage(r Record, source string) Message {
	codes := eventCodes[r.Event]
	m := Message{
		Event: eventIdentification{
			Action: r.Action, Time: r.Time.UTC().Format(time.RFC3339Nano), Outcome: strconv.Itoa(int(r.Outcome)), ID: codes.id, Why: why(r),
		},
		Source: auditSource{source},
	}
	if codes.kind.Code != "" {
		m.Event.Type = &codes.kind
	}
	m.Participants = participants(r, source)
	for _, o := range r.Objects {
		m.Objects = append(m.Objects, objects(o)...)
	}
	return m
}

// why is what went wrong, or by which rule nothing did.
func why(r Record) string {
	if r.Reason == "" && r.Rule != "" {
		return "allowed: " + r.Rule
	}
	return r.Reason
}

// participants are who acted, this installation, and where objects went.
func participants(r Record, source string) []activeParticipant {
	who := activeParticipant{UserID: r.Principal, Alternative: r.Peer.CallingAETitle, Requestor: true, Address: r.Peer.Address}
	if who.UserID == "" {
		who.UserID = "unknown"
	}
	if who.Address != "" {
		who.AddressType = "2" // IP address
	}
	from, to := dcm("110153", "Source Role ID"), dcm("110152", "Destination Role ID")
	here := activeParticipant{UserID: source, Alternative: r.Peer.CalledAETitle}
	switch {
	case r.Event == Transferred && r.Action == Create:
		who.Role, here.Role = &from, &to
	case r.Event == Transferred && r.Peer.Destination == "":
		who.Role, here.Role = &to, &from
	case r.Event == Transferred:
		here.Role = &from
	}
	list := []activeParticipant{who, here}
	if r.Peer.Destination != "" {
		list = append(list, activeParticipant{UserID: r.Peer.Destination, Role: &to})
	}
	return list
}

// objects are what was acted upon (PS3.15 A.5.2.4): a study is an object of the
// system with the role report, a query one with the role query.
func objects(o Object) (list []participantObject) {
	if o.Study != "" {
		p := participantObject{ID: o.Study, Type: "2", Role: "3", IDType: dcm("110180", "Study Instance UID")}
		for _, class := range slices.Sorted(maps.Keys(o.SOPClasses)) {
			p.Classes = append(p.Classes, sopRef{class, o.SOPClasses[class]})
		}
		list = append(list, p)
	}
	if o.Query != "" {
		list = append(list, participantObject{ID: o.Query, Type: "2", Role: "24", IDType: code{"10", "RFC-3881", "Search Criteria"}})
	}
	for _, name := range []string{o.Device, o.Person} {
		if name != "" {
			list = append(list, participantObject{ID: name, Type: "1", Role: "11", IDType: code{"11", "RFC-3881", "User Identifier"}, Name: o.Detail})
		}
	}
	return list
}

// XML is the message as one line without a declaration, as RFC 5424 carries it.
func (m Message) XML() (string, error) {
	b, err := xml.Marshal(m)
	return strings.ReplaceAll(string(b), "\n", " "), err
}
