package house

import (
	"testing"

	"collimator/internal/audit"
	"collimator/internal/posture"
)

func TestATestOfAlarmsIsARecordOfItsOwnKind(t *testing.T) {
	t.Parallel()
	r := alarmRecord([]posture.Tried{{Channel: "mail a", OK: true}, {Channel: "syslog b"}})
	if r.Event != audit.AlarmTested || !r.Failed() || len(r.Objects) != 2 || r.Objects[1].Detail != "syslog b" {
		t.Errorf("%+v", r)
	}
	if r = alarmRecord([]posture.Tried{{Channel: "mail a", OK: true}}); r.Failed() {
		t.Errorf("all went well: %+v", r)
	}
}
