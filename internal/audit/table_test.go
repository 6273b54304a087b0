package audit_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/audit"
)

// read is what a repository reads out of a message.
type read struct {
	Event struct {
		Action string `xml:"EventActionCode,attr"`
		ID     coded  `xml:"EventID"`
		Type   *coded `xml:"EventTypeCode"`
	} `xml:"EventIdentification"`
	Participants []struct {
		UserID    string `xml:"UserID,attr"`
		Other     string `xml:"AlternativeUserID,attr"`
		Address   string `xml:"NetworkAccessPointID,attr"`
		Kind      string `xml:"NetworkAccessPointTypeCode,attr"`
		Requestor string `xml:"UserIsRequestor,attr"`
		Role      *coded `xml:"RoleIDCode"`
		Media     *coded `xml:"MediaIdentifier>MediaType"`
	} `xml:"ActiveParticipant"`
	Objects []struct {
		ID      string `xml:"ParticipantObjectID,attr"`
		Type    string `xml:"ParticipantObjectTypeCode,attr"`
		Role    string `xml:"ParticipantObjectTypeCodeRole,attr"`
		IDType  coded  `xml:"ParticipantObjectIDTypeCode"`
		Name    string `xml:"ParticipantObjectName"`
		Query   string `xml:"ParticipantObjectQuery"`
		Details []struct {
			Type  string `xml:"type,attr"`
			Value string `xml:"value,attr"`
		} `xml:"ParticipantObjectDetail"`
		Description *struct {
			Inside string `xml:",innerxml"`
		} `xml:"ParticipantObjectDescription"`
	} `xml:"ParticipantObjectIdentification"`
}

type coded struct {
	Code string `xml:"csd-code,attr"`
}

// many is how many there may be.
type many struct{ least, most int }

func (m many) holds(n int) bool { return n >= m.least && n <= m.most }

const noLimit = 1 << 20

// tableOf is a table of PS3.15 A.5.3.
type tableOf struct {
	event, actions string
	types          string          // of EventTypeCode; empty: none is needed
	roles          map[string]many // by RoleIDCode; "" for participants without
	requestors     many
	objects        map[string]many // by type, role and type of ID
}

// Kinds of objects.
const (
	aStudy    = "2 3 110180"
	aPatient  = "1 1 2"
	aQuery    = "2 3 110181"
	aSearch   = "2 24 10" // A.5.3.10 note 2: of another protocol
	aNode     = "2 13 110182"
	aUser     = "2 13 11"
	aSubject  = "2 13 110180"
	aTrail    = "2 13 12"
	sending   = "110153"
	receiving = "110152"
)

// tables are those of PS3.15 A.5.3, by event.
func tables() map[audit.Event]tableOf {
	one, some, any := many{1, 1}, many{1, noLimit}, many{0, noLimit}
	patient := map[string]many{aStudy: some, aPatient: one} // a message about a single patient
	application := tableOf{"110100", "E", "110120 110121", map[string]many{"110150": one, "110151": any}, many{0, 1}, nil}
	transfer := map[string]many{sending: one, receiving: one, "": any}
	images := map[string]many{aStudy: some, aPatient: some}
	access := tableOf{"110103", "C R U D", "", map[string]many{"": {1, 2}}, one, patient}
	entry := tableOf{"110108", "E", "110124 110125", map[string]many{"": one}, many{0, 0}, nil}
	alert := tableOf{"110113", "E", "110126 110127 110128 110129 110132 110135 110137", map[string]many{"": some}, one,
		map[string]many{aNode: any, aUser: any, aSubject: any}}
	user := tableOf{"110114", "E", "110122 110123", map[string]many{"": {1, 2}}, one, nil}
	deleted := access
	deleted.event, deleted.actions = "110105", "D"

	all := map[audit.Event]tableOf{
		audit.ApplicationStart: application, audit.ApplicationStop: application,
		audit.Transferring: {"110102", "E", "", transfer, one, patient},
		audit.Transferred:  {"110104", "C R U", "", transfer, one, patient},
		audit.Export:       {"110106", "R", "", map[string]many{sending: {1, 2}, receiving: any, "110154": one}, one, images},
		audit.Commitment:   access, audit.ProcedureStep: access, audit.InstancesDeleted: access, audit.StudyMarked: access, audit.StudyDeleted: deleted,
		audit.Verification: entry, audit.NetworkEntry: entry, audit.MessagePassed: entry, audit.PagePassed: entry,
		audit.Query:             {"110112", "E", "", transfer, one, map[string]many{aQuery: {0, 1}, aSearch: {0, 1}}},
		audit.LogUsed:           {"110101", "R", "", map[string]many{"": {1, 2}}, one, map[string]many{aTrail: one}},
		audit.UserAuthenticated: user, audit.UserSignedOut: user,
	}
	for _, e := range everyEvent {
		if _, ok := all[e]; !ok {
			all[e] = alert
		}
	}
	return all
}

// samples are records as the product writes them.
func samples() map[string]audit.Record {
	device := audit.Record{Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Door: audit.DoorDIMSE, Principal: "WS1", Kind: "device",
		Peer: audit.Peer{Address: "192.0.2.1", CallingAETitle: "WS1", CalledAETitle: "ARCHIVE"}}
	with := func(e audit.Event, a audit.Action, objects ...audit.Object) audit.Record {
		r := device
		r.Event, r.Action, r.Objects = e, a, objects
		return r
	}
	images := audit.Object{Study: "1.2.3", Patient: "ZZPHI-1", PatientIssuer: "H", SOPClasses: map[string]int{uid.CTImageStorage: 4}, Instances: 4}
	second := audit.Object{Study: "1.2.4", Patient: "ZZPHI-1", PatientIssuer: "H", Instances: 1}
	person := audit.Object{Person: "grace"}
	list := map[string]audit.Record{
		"stored":                  with(audit.Transferred, audit.Create, images),
		"stored for a person":     with(audit.Transferred, audit.Create, person, images),
		"store refused":           with(audit.Transferred, audit.Create, audit.Object{SOPClasses: map[string]int{uid.CTImageStorage: 1}, Failed: 1}),
		"got":                     with(audit.Transferred, audit.Read, images, second),
		"got for a person":        with(audit.Transferred, audit.Read, person, images, second),
		"got nothing":             with(audit.Transferred, audit.Read),
		"deletion refused":        with(audit.Transferred, audit.Delete, audit.Object{Study: "1.2.3"}),
		"begin":                   with(audit.Transferring, audit.Read, images),
		"query":                   with(audit.Query, audit.Execute, audit.Object{Query: "STUDY PatientName StudyDate", SOPClass: uid.StudyRootFind}),
		"query for a person":      with(audit.Query, audit.Execute, person, audit.Object{Query: " PatientName", SOPClass: uid.StudyRootFind}),
		"search":                  with(audit.Query, audit.Execute, audit.Object{Query: "STUDY PatientName"}),
		"commitment":              with(audit.Commitment, audit.Execute, images, second),
		"commitment, unknown":     with(audit.Commitment, audit.Execute),
		"study deleted":           with(audit.StudyDeleted, audit.Delete, person, images),
		"instances deleted":       with(audit.InstancesDeleted, audit.Delete, images),
		"exported":                with(audit.Export, audit.Read, func() audit.Object { o := images; o.Detail = "files"; return o }()),
		"link":                    with(audit.Export, audit.Create, person, audit.Object{Study: "1.2.3", Patient: "ZZPHI-1", Detail: "link abc"}),
		"signed in at a device":   with(audit.UserAuthenticated, audit.Execute, person),
		"link opened":             with(audit.UserAuthenticated, audit.Execute, audit.Object{Study: "1.2.3", Detail: "link opened"}),
		"person changed":          with(audit.PersonChanged, audit.Update, audit.Object{Person: "ada", Detail: "disabled"}),
		"person changed by token": with(audit.PersonChanged, audit.Update, person, audit.Object{Person: "ada"}),
		"person, no words":        with(audit.PersonChanged, audit.Update, audit.Object{Person: "ada"}),
		"device changed":          with(audit.DeviceChanged, audit.Create, audit.Object{Device: "CT1", Detail: "echo"}),
		"held back":               with(audit.SecurityAlert, audit.Create, images),
		"trail read":              with(audit.LogUsed, audit.Read, audit.Object{Detail: "patient since"}),
		"trail read for a person": with(audit.LogUsed, audit.Read, person),
		"refused":                 with(audit.SecurityAlert, audit.Execute),
		"emergency":               with(audit.EmergencyAccess, audit.Execute, person, images),
	}
	moved := with(audit.Transferred, audit.Read, images)
	moved.Peer.Destination = "WS2"
	list["moved"] = moved
	moved.Objects = append([]audit.Object{person}, moved.Objects...)
	list["moved for a person"] = moved
	for _, e := range everyEvent {
		list["bare "+string(e)] = with(e, audit.Execute)
	}
	return list
}

// TestMessagesFollowTheTablesOfTheStandard holds participants, roles and objects
// of each message against the table of its event.
func TestMessagesFollowTheTablesOfTheStandard(t *testing.T) {
	t.Parallel()
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := tables()[r.Event]
			switch name {
			case "deletion refused":
				want = tables()[audit.InstancesDeleted]
			case "bare instances-transferred":
				r.Action = audit.Read
			}
			text, err := audit.NewMessage(r, "ARCHIVE").XML()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, "<ParticipantObjectDescription></ParticipantObjectDescription>") {
				t.Errorf("an empty description: %s", text)
			}
			var m read
			if err := xml.Unmarshal([]byte(text), &m); err != nil {
				t.Fatal(err)
			}
			for _, problem := range want.judge(&m) {
				t.Errorf("%s in %s", problem, text)
			}
			sameAsFHIR(t, r, &m)
		})
	}
}

// judge says what leaves the table.
func (w tableOf) judge(m *read) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if m.Event.ID.Code != w.event || !slices.Contains(strings.Fields(w.actions), m.Event.Action) {
		say("event %s, action %s", m.Event.ID.Code, m.Event.Action)
	}
	if w.types != "" && (m.Event.Type == nil || !slices.Contains(strings.Fields(w.types), m.Event.Type.Code)) {
		say("event type %v", m.Event.Type)
	}
	roles, requestors, objects := map[string]int{}, 0, map[string]int{}
	for _, p := range m.Participants {
		role := ""
		if p.Role != nil {
			role = p.Role.Code
		}
		roles[role]++
		if p.Requestor == "true" {
			requestors++
		}
		switch {
		case role == "110150" && (p.Other == "" || p.Requestor != "false"): // A.5.3.1: the AE titles, and the process itself asks for nothing
			say("application %+v", p)
		case role == "110151" && p.Requestor != "true": // A.5.3.1
			say("launcher %+v", p)
		case role == "110154" && (p.Address == "" || p.Kind == "" || p.Requestor != "false"): // A.5.3.4
			say("media %+v", p)
		case w.event == "110114" && p.Requestor == "true" && (p.Address == "" || p.Kind == ""): // A.5.3.12
			say("person %+v", p)
		}
		if p.UserID == "" || (role == "110154") != (p.Media != nil) {
			say("participant %+v", p)
		}
	}
	for _, o := range m.Objects {
		objects[o.Type+" "+o.Role+" "+o.IDType.Code]++
		if o.ID == "" {
			say("an object without an ID")
		}
		if w.event == "110101" && o.Name != "Security Audit Log" {
			say("the trail is named %q", o.Name)
		}
		if o.Type != "1" && o.Name == "" && o.Query == "" { // one of them is required where the other is missing
			say("object %+v with neither a name nor a query", o)
		}
		details := map[string]string{}
		for _, d := range o.Details {
			details[d.Type] = d.Value
		}
		if w.event == "110113" && details["Alert Description"] == "" { // A.5.3.11
			say("an alert about %s without a description", o.ID)
		}
		if kind := o.Type + " " + o.Role + " " + o.IDType.Code; kind == aQuery && (o.Query == "" || details["TransferSyntax"] == "") { // A.5.3.10
			say("a query without its data set and transfer syntax")
		}
	}
	if !w.requestors.holds(requestors) {
		say("%d requestors", requestors)
	}
	count := func(what string, have map[string]int, want map[string]many) {
		for key, m := range want {
			if !m.holds(have[key]) {
				say("%d %s %q", have[key], what, key)
			}
		}
		for key := range have {
			if _, ok := want[key]; !ok {
				say("%s %q that the table does not have", what, key)
			}
		}
	}
	count("participants", roles, w.roles)
	count("objects", objects, w.objects)
	return problems
}

// sameAsFHIR holds the AuditEvent of a record against its message.
func sameAsFHIR(t *testing.T, r audit.Record, m *read) {
	t.Helper()
	b, err := audit.FHIR(r, "ARCHIVE")
	if err != nil {
		t.Fatal(err)
	}
	var ev struct {
		Type   struct{ Code string }
		Action string
		Agent  []struct{ Requestor bool }
		Entity []struct{ Type, Role struct{ Code string } }
	}
	if err := json.Unmarshal(b, &ev); err != nil {
		t.Fatal(err)
	}
	same := ev.Type.Code == m.Event.ID.Code && ev.Action == m.Event.Action && len(ev.Agent) == len(m.Participants) && len(ev.Entity) == len(m.Objects)
	for i := range ev.Agent {
		same = same && fmt.Sprint(ev.Agent[i].Requestor) == m.Participants[i].Requestor
	}
	for i := range ev.Entity {
		same = same && ev.Entity[i].Type.Code == m.Objects[i].Type && ev.Entity[i].Role.Code == m.Objects[i].Role
	}
	if !same {
		t.Errorf("the AuditEvent %s says something else than the message %+v", b, m)
	}
}

// The query of a message is a data set that can be read, without values but the level.
func TestTheQueryOfAMessageIsADataSetWithoutValues(t *testing.T) {
	t.Parallel()
	text, err := audit.NewMessage(samples()["query"], "ARCHIVE").XML()
	if err != nil {
		t.Fatal(err)
	}
	var m read
	if err := xml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	o := m.Objects[0]
	if o.ID != uid.StudyRootFind || len(o.Details) != 1 || o.Details[0].Type != "TransferSyntax" {
		t.Fatalf("%+v", o)
	}
	syntax, _ := base64.StdEncoding.DecodeString(o.Details[0].Value)
	raw, err := base64.StdEncoding.DecodeString(o.Query)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := dicom.Decode(strings.NewReader(string(raw)), dicom.DecodeOptions{TransferSyntax: string(syntax)})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for el := range ds.All() {
		if n++; el.Length() > 0 && el.Tag != tag.QueryRetrieveLevel {
			t.Errorf("%s has a value", el.Tag.Keyword())
		}
	}
	if n != 3 || ds.Text(tag.QueryRetrieveLevel) != "STUDY" {
		t.Errorf("%d elements, level %q", n, ds.Text(tag.QueryRetrieveLevel))
	}
}
