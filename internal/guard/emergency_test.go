package guard

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"collimator/dicomweb"
	"collimator/internal/audit"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
)

func FuzzEmergencyReason(f *testing.F) {
	for _, s := range []string{"", "x", "unconscious, prior CT needed", "Notfall \xfcber Nacht", "a\x00bcdef", strings.Repeat("ä", 200), "\u202eabcdef"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := emergencyReason(&http.Request{Header: http.Header{EmergencyHeader: {s}}}, &Caller{session: &identity.Session{}})
		if err != nil {
			if !errors.Is(err, errEmergency) || strings.Contains(err.Error(), s) && len(s) > 40 {
				t.Errorf("%v", err)
			}
			return
		}
		n := utf8.RuneCountInString(got)
		if n < emergencyLeast || n > emergencyMost || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q was taken", got)
		}
	})
}

func TestAlarmsOfAFloodAreCountedNotWritten(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := &Caller{session: &identity.Session{ID: "s"}}
	c.who.Name = "grace"
	for range 100 {
		d.alarm(t.Context(), c, "1.2", "a good reason")
	}
	d.alarm(t.Context(), c, "1.3", "a good reason")
	if n := len(d.records()); n != sampleBurst+1 {
		t.Errorf("%d records, want %d", n, sampleBurst+1)
	}
}

// Whoever abuses emergency access must not be able to hide one study behind
// many others.
func TestManyAlarmsDoNotHideOne(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	c := &Caller{session: &identity.Session{ID: "s"}}
	c.who.Name = "grace"
	for i := range sampleMost + 10 {
		d.alarm(t.Context(), c, "1.2."+strconv.Itoa(i+1), "a good reason")
	}
	if n := len(d.records()); n != sampleMost+10 {
		t.Errorf("%d alarms are in the record, want %d", n, sampleMost+10)
	}
}

// Strangers who are refused must not be able to keep from the record what
// somebody looked at meanwhile.
func TestRefusalsOfStrangersDoNotHideAnAccess(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for i := range 2 * sampleMost {
		d.recordRefusedStranger(t.Context(), audit.Peer{Address: "10.0." + strconv.Itoa(i/250) + "." + strconv.Itoa(i%250)}, doorWeb, "no credentials")
	}
	d.records()
	c := &Caller{}
	c.who.Name = "grace"
	call := &dicomweb.Call{
		Request:  httptest.NewRequest(http.MethodGet, "/", nil),
		Verb:     dicomweb.Rendering,
		Part:     dicomweb.FramesPart,
		Resource: dicomweb.Resource{StudyUID: "1.2", SeriesUID: "1.2.3"},
	}
	d.settleWeb(t.Context(), c, call, dicomweb.Outcome{Status: 200, Instances: 1}, d.newTransfer(c))
	if n := len(d.records()); n != 1 {
		t.Errorf("%d records of the access, want 1", n)
	}
}

func TestTooManyKeysHideNoAccess(t *testing.T) {
	t.Parallel()
	c := housetest.ClockAt(time.Unix(0, 0))
	s := newFaithfulSampler(c.Now)
	for i := range 2 * sampleKeys {
		if _, write := s.take(strconv.Itoa(i)); !write {
			t.Fatalf("access %d is held back", i)
		}
	}
	if len(s.seen) > sampleKeys {
		t.Errorf("%d keys are kept", len(s.seen))
	}
}
