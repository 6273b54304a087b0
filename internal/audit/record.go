// Package audit keeps the audit trail: who did what to which objects through
// which door, and what was refused, in the terms of PS3.15 A.5. The trail is a
// record with access control and not a log: it may name studies and instances,
// and only this package writes it. It decides nothing.
package audit

import (
	"time"
)

// Event is the kind of a record (PS3.15 A.5.3).
type Event string

// The events that are recorded.
const (
	ApplicationStart  Event = "application-start"           // PS3.15 A.5.3.1
	ApplicationStop   Event = "application-stop"            // PS3.15 A.5.3.1
	LogUsed           Event = "audit-log-used"              // somebody read the trail itself: PS3.15 A.5.3.2
	Export            Event = "export"                      // PS3.15 A.5.3.4
	Transferring      Event = "begin-transferring"          // PS3.15 A.5.3.3
	Transferred       Event = "instances-transferred"       // PS3.15 A.5.3.7
	NetworkEntry      Event = "network-entry"               // PS3.15 A.5.3.9
	StudyDeleted      Event = "study-deleted"               // PS3.15 A.5.3.8
	InstancesDeleted  Event = "instances-deleted"           // some of a study: PS3.15 A.5.3.6
	Query             Event = "query"                       // PS3.15 A.5.3.10
	SecurityAlert     Event = "security-alert"              // PS3.15 A.5.3.11
	UserAuthenticated Event = "user-authentication"         // PS3.15 A.5.3.12
	UserSignedOut     Event = "user-signed-out"             // PS3.15 A.5.3.12
	EmergencyAccess   Event = "emergency-access"            // PS3.15 A.5.3.11; its reason was typed by a person and may hold patient data
	Commitment        Event = "storage-commitment"          // order record for PS3.4 J
	ProcedureStep     Event = "procedure-step"              // a performed procedure step went through the gate: PS3.15 A.5.3.6
	Verification      Event = "verification"                // C-ECHO
	DeviceChanged     Event = "device-registration-changed" // security administration of PS3.15 A.5.3.11
	GateChanged       Event = "gate-changed"                // a route of the gate: PS3.15 A.5.3.11
	MaintenanceDoor   Event = "maintenance-door"            // a door for maintenance was opened, used or closed: PS3.15 A.5.3.11
	MessagePassed     Event = "message-passed"              // one of HL7 v2 came to the gate, which knows its type and nothing else; no event of PS3.15 A.5.3 is about one
	PagePassed        Event = "page-passed"                 // a request to a page of a system behind the gate, which does not know what it shows; no event of PS3.15 A.5.3 is about one
	InventoryChanged  Event = "inventory-changed"           // decisions about systems and their weaknesses, PS3.15 A.5.3.11
	PersonChanged     Event = "person-changed"
	Scanned           Event = "network-scan"       // what a scan of the attack surface sent to whom
	Maintained        Event = "maintenance"        // the index was made anew, or keys for backups: PS3.15 A.5.3.11
	AlarmTested       Event = "alarm-test"         // messages were sent to try whether they arrive: PS3.15 A.5.3.11
	StudyMarked       Event = "study-marked"       // labels, a status or a note were said of a study: PS3.15 A.5.3.6
	ReportMade        Event = "report-made"        // a report about systems and their weaknesses left as a file: PS3.15 A.5.3.11
	QuarantineChanged Event = "quarantine-changed" // somebody decided about an instance that was held back
)

// Action is what was done to the objects (PS3.15 A.5.2).
type Action string

// The actions.
const (
	Create  Action = "C"
	Read    Action = "R"
	Update  Action = "U"
	Delete  Action = "D"
	Execute Action = "E"
)

// Outcome is how it ended (PS3.15 A.5.2).
type Outcome int

// The outcomes.
const (
	Success        Outcome = 0
	MinorFailure   Outcome = 4
	SeriousFailure Outcome = 8
	MajorFailure   Outcome = 12
)

// Record is one event. The zero Time is filled in when it is written.
type Record struct {
	Sequence int64     `json:"sequence,omitempty"`
	Time     time.Time `json:"time"`
	Event    Event     `json:"event"`
	Action   Action    `json:"action,omitempty"`
	Outcome  Outcome   `json:"outcome"`
	// Reason says in neutral words why it was refused or failed.
	Reason string `json:"reason,omitempty"`
	// Code is there where a program acts on the record.
	Code Code `json:"code,omitempty"`
	// Rule says by which rule of the policy it was allowed.
	Rule string `json:"rule,omitempty"`
	// Door is the way in, one of the constants.
	Door        Door     `json:"door,omitempty"`
	Association string   `json:"association,omitempty"`
	Principal   string   `json:"principal,omitempty"`
	Kind        string   `json:"kind,omitempty"` // device, person, service
	Peer        Peer     `json:"peer,omitzero"`
	Objects     []Object `json:"objects,omitempty"`
}

// Failed reports that something was refused or did not work. That a part of the
// server came to another state is nobody's attempt, whatever the state is.
func (r *Record) Failed() bool { return r.Outcome != Success && r.Code != StateChanged }

// CountLike says in a record how many like it were not written since the last, where
// there were any: what somebody can cause at will is counted. what they are is a word
// such as refusals.
func (r *Record) CountLike(what string, before int) {
	if before <= 0 {
		return
	}
	o := Object{Detail: "like " + what + " not written since the last"}
	if r.Failed() {
		o.Failed = before
	} else {
		o.Instances = before
	}
	r.Objects = append(r.Objects, o)
}

// Peer is the network side of who acted.
type Peer struct {
	Address        string `json:"address,omitempty"` // IP address without port
	CallingAETitle string `json:"callingAETitle,omitempty"`
	CalledAETitle  string `json:"calledAETitle,omitempty"`
	Route          string `json:"route,omitempty"`       // of the gate, where that is not what was called
	Fingerprint    string `json:"fingerprint,omitempty"` // SHA-256 of the certificate
	Destination    string `json:"destination,omitempty"` // AE title to which objects went
}

// Object is what was acted upon: a study with its instances, a query, a device.
type Object struct {
	Study string `json:"study,omitempty"` // Study Instance UID; of a copy without identity that of the original
	// Patient and PatientIssuer are Patient ID and Issuer of Patient ID of the study.
	Patient       string         `json:"patient,omitempty"`
	PatientIssuer string         `json:"patientIssuer,omitempty"`
	SOPClasses    map[string]int `json:"sopClasses,omitempty"` // instances of each class
	Instances     int            `json:"instances,omitempty"`
	Failed        int            `json:"failed,omitempty"`
	Query         string         `json:"query,omitempty"`    // level and tags of the keys, without values
	SOPClass      string         `json:"sopClass,omitempty"` // by which was queried
	Matches       int            `json:"matches,omitempty"`
	Device        string         `json:"device,omitempty"` // AE title
	Person        string         `json:"person,omitempty"`
	Detail        string         `json:"detail,omitempty"`
}

// ByPatient parts objects into lists of at most most, each about one patient as
// far as the objects say, in the order in which they come: a message about
// instances is about a single patient (PS3.15 A.5.3.3, A.5.3.6, A.5.3.7). Without
// an object there is one empty list.
func ByPatient(objects []Object, most int) (lists [][]Object) {
	type patient struct{ id, issuer string }
	at := map[patient]int{} // the list that is being filled

	for _, o := range objects {
		p := patient{o.Patient, o.PatientIssuer}
		i, begun := at[p]
		if !begun || len(lists[i]) >= most {
			i = len(lists)
			at[p] = i
			lists = append(lists, nil)
		}
		lists[i] = append(lists[i], o)
	}

	if len(lists) == 0 {
		return [][]Object{nil}
	}
	return lists
}
