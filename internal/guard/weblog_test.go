package guard

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicomweb"
)

func TestTheLogNamesTheCauseOfEachAnswerThatFailed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call dicomweb.Call
		out  dicomweb.Outcome
		want []string
	}{
		"fault":      {dicomweb.Call{Verb: dicomweb.Retrieving}, dicomweb.Outcome{Status: 500, Err: errors.New("blob: gone")}, []string{"level=ERROR", "status=500", "blob: gone"}},
		"incomplete": {dicomweb.Call{Verb: dicomweb.Retrieving}, dicomweb.Outcome{Status: 200, Err: errors.New("blob: gone")}, []string{"level=WARN", "before it was complete", "blob: gone"}},
		"mistake":    {dicomweb.Call{Verb: dicomweb.Searching}, dicomweb.Outcome{Status: 400, Err: &dicomweb.Error{Status: 400, Detail: "Why."}}, []string{"level=INFO", "Why"}},
		"peer left":  {dicomweb.Call{Verb: dicomweb.Retrieving}, dicomweb.Outcome{Status: 200, Err: context.Canceled}, []string{"level=INFO"}},
		"done":       {dicomweb.Call{Verb: dicomweb.Retrieving}, dicomweb.Outcome{Status: http.StatusOK}, nil},
	} {
		d := newDoor(t)
		d.logWeb(t.Context(), &Caller{}, &c.call, c.out)
		got := d.log.String()
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: the log has no %q: %s", name, w, got)
			}
		}
		if len(c.want) == 0 && got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTheLogSaysWhyAnInstanceWasNotStored(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	cause := &dicom.SyntaxError{Tag: tag.PatientName, Offset: 1234, Reason: "value is cut short", Clause: "PS3.5 7.1"}
	d.logRefusedInstance(&Caller{}, dicomweb.Observation{
		Stored: &dicomweb.Stored{SOPClassUID: "1.2.840.10008.5.1.4.1.1.2", Resource: dicomweb.Resource{SOPInstanceUID: "1.2.3.4"}},
		Err:    cause, FailureReason: 0xC000,
	})
	got := d.log.String()
	for _, w := range []string{"level=WARN", "C000H", "(0010,0010)", "byte 1234", "CT Image Storage"} {
		if !strings.Contains(got, w) {
			t.Errorf("the log has no %q: %s", w, got)
		}
	}
	if strings.Contains(got, "1.2.3.4") {
		t.Error("the log names the instance")
	}
}
