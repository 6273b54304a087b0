package audit_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

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
		"query": {audit.Record{Time: at, Event: audit.Query, Action: audit.Execute, Principal: "WS1", Objects: []audit.Object{{Query: "STUDY PatientName"}}},
			[]string{`csd-code="110112"`, `ParticipantObjectTypeCodeRole="24"`, `STUDY PatientName`}},
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

func TestEveryEventHasACode(t *testing.T) {
	t.Parallel()
	for _, e := range []audit.Event{audit.ApplicationStart, audit.ApplicationStop, audit.Export, audit.Transferring, audit.Transferred, audit.NetworkEntry, audit.Query,
		audit.SecurityAlert, audit.UserAuthenticated, audit.Commitment, audit.Verification, audit.DeviceChanged, audit.InventoryChanged, audit.PersonChanged, audit.QuarantineChanged,
		audit.UserSignedOut, audit.EmergencyAccess, audit.Scanned, audit.StudyDeleted, audit.InstancesDeleted} {
		text, err := audit.NewMessage(audit.Record{Event: e}, "x").XML()
		if err != nil || strings.Contains(text, `EventID csd-code=""`) {
			t.Errorf("%s: %v: %s", e, err, text)
		}
	}
}
