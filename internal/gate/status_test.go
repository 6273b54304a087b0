package gate

import (
	"errors"
	"strings"
	"testing"

	"collimator/dimse"
	"collimator/internal/fault"
)

// An association that the system behind ends over a request is told with what to look at, in the record;
// the caller gets nothing of it.
func TestAnEndOfTheSystemBehindIsExplained(t *testing.T) {
	t.Parallel()
	s := statusOf(&dimse.AbortError{})
	if s.Code != dimse.OutOfResources || !strings.Contains(fault.Text(s.Cause), "look whether it lets this AE title do this") || strings.Contains(s.Comment, "AE title") {
		t.Errorf("%+v", s)
	}
	said := fault.Wrap(fault.Unavailable, &dimse.AbortError{}, "gate: what is known better")
	for _, err := range []error{said, errors.New("another")} {
		if got := statusOf(err).Cause; got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}
