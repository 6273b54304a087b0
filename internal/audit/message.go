package audit

import (
	"encoding/xml"
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
	Media       *media `xml:"MediaIdentifier"`
}

type media struct {
	Type code `xml:"MediaType"`
}

type auditSource struct {
	ID string `xml:"AuditSourceID,attr"`
}

type participantObject struct {
	ID      string         `xml:"ParticipantObjectID,attr"`
	Type    string         `xml:"ParticipantObjectTypeCode,attr"`
	Role    string         `xml:"ParticipantObjectTypeCodeRole,attr"`
	IDType  code           `xml:"ParticipantObjectIDTypeCode"`
	Name    string         `xml:"ParticipantObjectName,omitempty"`
	Query   []byte         `xml:"ParticipantObjectQuery,omitempty"`
	Details []objectDetail `xml:"ParticipantObjectDetail"`
	// Description is missing where there is nothing in it: repositories that know
	// an older schema refuse an empty one.
	Description *objectDescription `xml:"ParticipantObjectDescription"`
}

// objectDetail has a value of type xs:base64Binary.
type objectDetail struct {
	Type  string `xml:"type,attr"`
	Value string `xml:"value,attr"`
}

type objectDescription struct {
	Classes []sopRef `xml:"SOPClass"`
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
	LogUsed:           {id: dcm("110101", "Audit Log Used")},
	Transferring:      {id: dcm("110102", "Begin Transferring DICOM Instances")},
	Transferred:       {id: dcm("110104", "DICOM Instances Transferred")},
	Export:            {id: dcm("110106", "Export")},
	NetworkEntry:      {dcm("110108", "Network Entry"), dcm("110124", "Attach")},
	Query:             {id: dcm("110112", "Query")},
	SecurityAlert:     {dcm("110113", "Security Alert"), dcm("110126", "Node Authentication")},
	UserAuthenticated: {dcm("110114", "User Authentication"), dcm("110122", "Login")},
	UserSignedOut:     {dcm("110114", "User Authentication"), dcm("110123", "Logout")},
	EmergencyAccess:   {dcm("110113", "Security Alert"), dcm("110127", "Emergency Override Started")},
	Commitment:        {id: dcm("110103", "DICOM Instances Accessed")},
	ProcedureStep:     {id: dcm("110103", "DICOM Instances Accessed")},
	StudyDeleted:      {id: dcm("110105", "DICOM Study Deleted")},
	InstancesDeleted:  {id: dcm("110103", "DICOM Instances Accessed")},
	StudyMarked:       {id: dcm("110103", "DICOM Instances Accessed")},
	Verification:      {dcm("110108", "Network Entry"), dcm("110124", "Attach")},
	DeviceChanged:     {dcm("110113", "Security Alert"), dcm("110129", "Security Configuration")},
	GateChanged:       {dcm("110113", "Security Alert"), dcm("110129", "Security Configuration")},
	MaintenanceDoor:   {dcm("110113", "Security Alert"), dcm("110132", "Use of Restricted Function")},
	MessagePassed:     {dcm("110108", "Network Entry"), dcm("110124", "Attach")},
	PagePassed:        {dcm("110108", "Network Entry"), dcm("110124", "Attach")},
	InventoryChanged:  {dcm("110113", "Security Alert"), dcm("110129", "Security Configuration")},
	PersonChanged:     {dcm("110113", "Security Alert"), dcm("110137", "User Security Attributes Changed")},
	Scanned:           {dcm("110113", "Security Alert"), dcm("110132", "Use of Restricted Function")},
	Maintained:        {dcm("110113", "Security Alert"), dcm("110132", "Use of Restricted Function")},
	AlarmTested:       {dcm("110113", "Security Alert"), dcm("110132", "Use of Restricted Function")},
	ReportMade:        {dcm("110113", "Security Alert"), dcm("110132", "Use of Restricted Function")},
	QuarantineChanged: {dcm("110113", "Security Alert"), dcm("110135", "Object Security Attributes Changed")},
}

// NewMessage puts a record into the form of PS3.15 A.5.1, with the participants
// and objects that the table of its event in A.5.3 asks for. source names this
// installation.
func NewMessage(r Record, source string) Message {
	r = r.asMessage()

	codes := eventCodes[r.Event]
	m := Message{
		Event: eventIdentification{
			Action:  r.Action,
			Time:    r.Time.UTC().Format(time.RFC3339Nano),
			Outcome: strconv.Itoa(int(r.Outcome)),
			ID:      codes.id,
			Why:     why(r),
		},
		Participants: participants(r, source),
		Source:       auditSource{source},
		Objects:      objects(r, source),
	}

	if codes.kind.Code != "" {
		m.Event.Type = &codes.kind
	}
	return m
}

// asMessage gives a record the event and the action that the tables have for it.
func (r Record) asMessage() Record {
	switch {
	case r.Event == Export && r.Action == Delete: // a link was taken back: nothing leaves
		r.Event = QuarantineChanged
		r.Action = Execute
	case r.Event == Transferred && r.Action == Delete: // was to be deleted, and was not
		r.Event = InstancesDeleted
	}

	switch family(r.Event) {
	case exports, readings:
		r.Action = Read
	case accesses:
		switch {
		case r.Event == StudyMarked:
			r.Action = Update
		case r.Event != Commitment:
			r.Action = Delete
		case r.Action == Execute:
			r.Action = Read
		}
	case transfers:
		if r.Event == Transferring {
			r.Action = Execute
		}
		// Deviation: PS3.15 A.5.3.7 reserves R for a receiver that has the instances
		// already, which who sends them cannot know; it tells sending from storing.
	default:
		r.Action = Execute
	}
	return r
}

// tables of PS3.15 A.5.3 that differ in participants and objects.
type table int

const (
	alerts       table = iota // A.5.3.11 Security Alert
	applications              // A.5.3.1 Application Activity
	readings                  // A.5.3.2 Audit Log Used
	transfers                 // A.5.3.3 Begin Transferring, A.5.3.7 Instances Transferred
	exports                   // A.5.3.4 Data Export
	accesses                  // A.5.3.6 Instances Accessed, A.5.3.8 Study Deleted
	entries                   // A.5.3.9 Network Entry
	queries                   // A.5.3.10 Query
	signIns                   // A.5.3.12 User Authentication
)

func family(e Event) table {
	switch e {
	case ApplicationStart, ApplicationStop:
		return applications
	case LogUsed:
		return readings
	case Transferring, Transferred:
		return transfers
	case Export:
		return exports
	case Commitment, ProcedureStep, StudyDeleted, InstancesDeleted, StudyMarked:
		return accesses
	case NetworkEntry, Verification, MessagePassed, PagePassed:
		return entries
	case Query:
		return queries
	case UserAuthenticated, UserSignedOut:
		return signIns
	}
	return alerts
}

// XML is the message as one line without a declaration, as RFC 5424 carries it.
func (m Message) XML() (string, error) {
	b, err := xml.Marshal(m)
	return strings.ReplaceAll(string(b), "\n", " "), err
}

// why is what went wrong, or by which rule nothing did.
func why(r Record) string {
	if r.Reason == "" && r.Rule != "" {
		return "allowed: " + r.Rule
	}
	return r.Reason
}
