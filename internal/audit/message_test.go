package audit_test

import (
	"encoding/xml"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"collimator/internal/audit"
)

func TestMessagesHaveTheFormOfTheStandard(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		record audit.Record
		want   []string
	}{
		"stored": {audit.Record{Time: at, Event: audit.Transferred, Action: audit.Create, Principal: "CT1", Peer: audit.Peer{Address: "127.0.0.1", CallingAETitle: "CT1", CalledAETitle: "ARCHIVE"},
			Objects: []audit.Object{{Study: "1.2.3", SOPClasses: map[string]int{"1.2.840.10008.5.1.4.1.1.2": 4}}}},
			[]string{`csd-code="110104"`, `EventActionCode="C"`, `EventOutcomeIndicator="0"`, `UserID="CT1"`, `NetworkAccessPointTypeCode="2"`, `csd-code="110153"`, `csd-code="110152"`,
				`ParticipantObjectID="1.2.3"`, `csd-code="110180"`, `NumberOfInstances="4"`, `EventDateTime="2026-11-23T12:00:00Z"`}},
		"refused": {audit.Record{Time: at, Event: audit.SecurityAlert, Action: audit.Execute, Outcome: audit.MinorFailure, Reason: "the AE title is not registered", Peer: audit.Peer{Address: "127.0.0.1", CallingAETitle: "<x>&\""}},
			[]string{`csd-code="110113"`, `csd-code="110126"`, `EventOutcomeIndicator="4"`, `UserID="unknown"`, `AlternativeUserID="&lt;x&gt;&amp;&#34;"`, "the AE title is not registered"}},
		"moved": {audit.Record{Time: at, Event: audit.Transferred, Action: audit.Read, Principal: "WS1", Peer: audit.Peer{Destination: "WS2"}},
			[]string{`UserID="WS2"`, `EventActionCode="R"`}},
		"query": {audit.Record{Time: at, Door: audit.DoorWeb, Event: audit.Query, Action: audit.Execute, Principal: "WS1", Objects: []audit.Object{{Query: "STUDY PatientName"}}},
			[]string{`csd-code="110112"`, `ParticipantObjectTypeCodeRole="24"`, `ParticipantObjectID="dicomweb"`, `U1RVRFkgUGF0aWVudE5hbWU=`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := audit.NewMessage(c.record, "collimator.example.org").XML()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(c.want, `AuditSourceID="collimator.example.org"`) {
				if !strings.Contains(text, want) {
					t.Errorf("%s is not in %s", want, text)
				}
			}
			if strings.Contains(text, "\n") || xml.Unmarshal([]byte(text), new(any)) != nil && !strings.HasPrefix(text, "<AuditMessage>") {
				t.Errorf("not one element on one line: %s", text)
			}
		})
	}
}

// everyEvent is each kind of event there is.
var everyEvent = []audit.Event{
	audit.ApplicationStart, audit.ApplicationStop, audit.Export, audit.Transferring, audit.Transferred, audit.NetworkEntry,
	audit.Query, audit.SecurityAlert, audit.UserAuthenticated, audit.Commitment, audit.ProcedureStep, audit.Verification, audit.DeviceChanged,
	audit.GateChanged, audit.MaintenanceDoor, audit.MessagePassed, audit.PagePassed, audit.InventoryChanged, audit.StudyMarked, audit.PersonChanged, audit.QuarantineChanged, audit.UserSignedOut, audit.EmergencyAccess,
	audit.LogUsed, audit.Scanned, audit.StudyDeleted, audit.InstancesDeleted, audit.Maintained,
	audit.AlarmTested, audit.ReportMade,
}

func TestEveryEventHasACode(t *testing.T) {
	t.Parallel()
	for _, e := range everyEvent {
		text, err := audit.NewMessage(audit.Record{Event: e}, "x").XML()
		if err != nil || strings.Contains(text, `EventID csd-code=""`) {
			t.Errorf("%s: %v: %s", e, err, text)
		}
	}
}

// A code goes with its own meaning, and with no other (PS3.16 CID 400, CID 401).
func TestCodesMeanWhatTheStandardSays(t *testing.T) {
	t.Parallel()
	meanings := map[string]string{
		"110100": "Application Activity", "110101": "Audit Log Used", "110102": "Begin Transferring DICOM Instances", "110103": "DICOM Instances Accessed",
		"110104": "DICOM Instances Transferred", "110105": "DICOM Study Deleted", "110106": "Export", "110107": "Import",
		"110108": "Network Entry", "110112": "Query", "110113": "Security Alert", "110114": "User Authentication",
		"110120": "Application Start", "110121": "Application Stop", "110122": "Login", "110123": "Logout", "110124": "Attach", "110125": "Detach",
		"110126": "Node Authentication", "110127": "Emergency Override Started", "110128": "Network Configuration", "110129": "Security Configuration",
		"110130": "Hardware Configuration", "110131": "Software Configuration", "110132": "Use of Restricted Function",
		"110133": "Audit Recording Stopped", "110134": "Audit Recording Started", "110135": "Object Security Attributes Changed",
		"110136": "Security Roles Changed", "110137": "User Security Attributes Changed", "110138": "Emergency Override Stopped",
		"110037": "URI", "110150": "Application", "110151": "Application Launcher", "110154": "Destination Media",
		"110152": "Destination Role ID", "110153": "Source Role ID", "110180": "Study Instance UID",
	}
	coded := regexp.MustCompile(`csd-code="([0-9]+)" codeSystemName="DCM" originalText="([^"]*)"`)
	for _, e := range everyEvent {
		r := audit.Record{Event: e, Action: audit.Create, Peer: audit.Peer{Destination: "PACS2"}, Objects: []audit.Object{{Study: "1.2.3"}}}
		text, err := audit.NewMessage(r, "x").XML()
		if err != nil {
			t.Fatal(err)
		}

		for _, m := range coded.FindAllStringSubmatch(text, -1) {
			if meanings[m[1]] != m[2] {
				t.Errorf("%s: %s is %q, not %q", e, m[1], meanings[m[1]], m[2])
			}
		}
	}
}

func TestObjectsArePartedByPatient(t *testing.T) {
	t.Parallel()
	of := func(study, patient, issuer string) audit.Object {
		return audit.Object{Study: study, Patient: patient, PatientIssuer: issuer}
	}
	got := audit.ByPatient([]audit.Object{of("1", "A", ""), of("2", "B", ""), of("3", "A", ""), of("4", "A", "H"), of("5", "A", ""), of("6", "", "")}, 2)
	var words []string
	for _, list := range got {
		word := ""
		for _, o := range list {
			word += o.Study
		}
		words = append(words, word)
	}
	if want := "13 2 4 5 6"; strings.Join(words, " ") != want {
		t.Errorf("parted as %q, want %q", words, want)
	}
	if none := audit.ByPatient(nil, 2); len(none) != 1 || len(none[0]) != 0 {
		t.Errorf("of nothing: %v", none)
	}
}

func TestWhatIsLikeIsCountedInTheNextRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outcome audit.Outcome
		before  int
		want    []audit.Object
	}{
		"of refusals":   {audit.MinorFailure, 3, []audit.Object{{Detail: "like attempts not written since the last", Failed: 3}}},
		"of what works": {audit.Success, 2, []audit.Object{{Detail: "like attempts not written since the last", Instances: 2}}},
		"none before":   {audit.MinorFailure, 0, nil},
	} {
		r := audit.Record{Outcome: c.outcome}
		r.CountLike("attempts", c.before)
		if diff := cmp.Diff(c.want, r.Objects); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
