package house_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"collimator/internal/house/sitetest"
)

// hears reads events until one holds a text; false at the end of the stream.
func hears(rsp *http.Response, text string) bool {
	lines := bufio.NewScanner(rsp.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return true
		}
	}
	return false
}

func TestWhoListensHearsOfWhatTheyMayAskForAndOfNothingElse(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	administrator, referrer := x.SignIn("administrator"), x.SignIn("referrer")
	all, some := administrator.Open("/api/v1/events"), referrer.Open("/api/v1/events")
	if !hears(all, "event: listening") || !hears(some, "event: listening") {
		t.Fatal("nobody is told that they listen")
	}

	administrator.Must(200, "POST", "/api/v1/people", map[string]string{"name": "ZZPHI-new", "role": "referrer"})
	lines := bufio.NewScanner(all.Body)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "ZZPHI") {
			t.Error("what has changed is told")
		}
		if strings.HasPrefix(lines.Text(), "data:") && strings.Contains(lines.Text(), `"people"`) {
			break
		}
	}
	administrator.Must(204, "DELETE", "/dicom-web/studies/2.25.71", nil, "Collimator-Reason", "a test of events")
	if !hears(some, `data: ["studies"]`) { // and of people nothing
		t.Error("who may search hears nothing of a study that is gone, or of more")
	}
}

func TestAStreamOfEventsEndsWithTheSession(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b := x.SignIn("administrator")
	stream := b.Open("/api/v1/events")
	if !hears(stream, "listening") {
		t.Fatal("it does not begin")
	}
	b.Must(204, "DELETE", "/api/v1/session", nil)
	if hears(stream, "never") {
		t.Error("it goes on")
	}
}
