package house_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/house/sitetest"
	"collimator/internal/policy"
)

// byToken is a program with a token of somebody that may do all its owner may.
func byToken(b *sitetest.Browser, owner string) *sitetest.Browser {
	b.Helper()
	verbs, _ := policy.Scope("admin")
	_, secret, err := b.In.Registry.CreateToken(b.Context(), owner, verbs, nil, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	c := b.Site.Browser()
	c.Header.Set("Authorization", "Bearer "+secret)
	return c
}

func TestATokenHearsOfNoMoreThanItsOwnerMayAskFor(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	administrator := x.SignIn("administrator")
	program := byToken(x.Browser(), "radiologist")
	stream := program.Open("/api/v1/events")
	if !hears(stream, "event: listening") {
		t.Fatal("it does not begin")
	}

	administrator.Must(200, "POST", "/api/v1/people", map[string]string{"name": "new", "role": "referrer"})
	administrator.Must(204, "DELETE", "/dicom-web/studies/2.25.71", nil, "Collimator-Reason", "a test of events")
	if !hears(stream, `data: ["studies"]`) { // and of people nothing
		t.Error("who may search hears nothing of a study that is gone, or of more")
	}
	if a := program.Must(200, "GET", "/api/v1/session", nil); strings.Contains(a.Text, `"people"`) {
		t.Error("a token is told that it may do what its owner may not")
	}
}

func TestAStreamOfEventsEndsWithTheRoleOfTheOwner(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	administrator := x.SignIn("administrator")
	if err := x.In.Registry.AddPerson(t.Context(), "second", string(policy.Administrator), sitetest.Password); err != nil {
		t.Fatal(err)
	}
	stream := byToken(x.Browser(), "second").Open("/api/v1/events")
	if !hears(stream, "event: listening") {
		t.Fatal("it does not begin")
	}
	administrator.Must(200, "POST", "/api/v1/people/second/role", map[string]string{"role": "radiologist"})
	if hears(stream, "never") {
		t.Error("it goes on")
	}
}

func TestOnePersonListensInABoundedNumberOfPlaces(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	referrer, other := x.SignIn("referrer"), x.SignIn("technologist")
	for range 32 {
		if rsp := referrer.Open("/api/v1/events"); rsp.StatusCode != http.StatusOK {
			t.Fatalf("status %d", rsp.StatusCode)
		}
	}
	if rsp := referrer.Open("/api/v1/events"); rsp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more is answered with %d", rsp.StatusCode)
	}
	if rsp := other.Open("/api/v1/events"); rsp.StatusCode != http.StatusOK {
		t.Errorf("somebody else is answered with %d", rsp.StatusCode)
	}
}

// leaver is an answer whose request ends at the first piece.
type leaver struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

func (l leaver) Write(p []byte) (int, error) {
	l.leave()
	return len(p), nil
}

func (l leaver) SetWriteDeadline(time.Time) error { return nil }

func TestAnExportThatIsCutOffDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	records := make([]audit.Record, 1500)
	for i := range records {
		records[i] = audit.Record{Event: audit.DeviceChanged, Action: audit.Update, Kind: "person", Principal: "somebody"}
	}
	if err := x.In.Trail.Write(t.Context(), records...); err != nil {
		t.Fatal(err)
	}

	ctx, leave := context.WithCancel(t.Context())
	rq := httptest.NewRequestWithContext(ctx, "GET", "https://"+x.Host+"/api/v1/audit/export", nil)
	rq.Header.Set("Authorization", byToken(x.Browser(), "auditor").Header.Get("Authorization"))
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the answer is ended as if it were whole")
		}
	}()
	x.Server.Handler().ServeHTTP(leaver{httptest.NewRecorder(), leave}, rq)
}

func TestChangesOfADeviceAtTheSameMomentAreAllMade(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	one, another := byToken(x.Browser(), "administrator"), byToken(x.Browser(), "administrator")
	last := time.Now().AddDate(0, 0, 20).Format(time.DateOnly)
	one.Must(200, "POST", "/api/v1/devices", map[string]any{"aeTitle": "US9", "address": "192.0.2.9", "plaintextUntil": last})
	for range 10 {
		one.Must(200, "PATCH", "/api/v1/devices/US9", map[string]any{"plaintextUntil": last, "allow": []string{"echo"}})
		var wg sync.WaitGroup
		wg.Go(func() { one.Must(200, "PATCH", "/api/v1/devices/US9", map[string]any{"plaintextUntil": ""}) })
		wg.Go(func() {
			another.Must(200, "PATCH", "/api/v1/devices/US9", map[string]any{"allow": []string{"echo", "store"}})
		})
		wg.Wait()
		d, err := x.In.Registry.Device(t.Context(), "US9")
		if err != nil {
			t.Fatal(err)
		}
		if d.Plaintext(time.Now()) || len(d.Verbs) != 2 {
			t.Fatal("what one of two changed is lost")
		}
	}
}

func TestNothingIsSaidOfAStudyThatIsDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	administrator, technologist := x.SignIn("administrator"), x.SignIn("technologist")
	for n := range 12 {
		sitetest.Ingest(t, x.Server.Archive, 30, 1)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				technologist.Send("PUT", "/api/v1/studies/2.25.710/labels", map[string]any{"labels": []string{"x"}, "status": "", "note": ""})
			})
		}
		wg.Go(func() {
			for range n { // somewhere among them
				administrator.Must(200, "GET", "/api/v1/session", nil)
			}
			administrator.Must(200, "DELETE", "/api/v1/studies/2.25.710", map[string]string{"reason": "a test of it"})
		})
		wg.Wait()

		var left int
		err := x.In.DB.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM study_mark WHERE study = '2.25.710'`).Scan(&left)
		})
		if err != nil || left != 0 {
			t.Fatalf("what was said is left behind: %d %v", left, err)
		}
	}
}

func TestTwoWhoRegisterADeviceAtTheSameMomentDoNotShareIt(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	one, another := byToken(x.Browser(), "administrator"), byToken(x.Browser(), "administrator")
	for n := range 6 {
		title := "US" + string(rune('A'+n))
		var codes [2]int
		var wg sync.WaitGroup
		for i, b := range []*sitetest.Browser{one, another} {
			wg.Go(func() { codes[i] = b.Send("POST", "/api/v1/devices", map[string]any{"aeTitle": title}).StatusCode })
		}
		wg.Wait()
		d, err := x.In.Registry.Device(t.Context(), title)
		if err != nil {
			t.Fatal(err)
		}
		if codes[0]+codes[1] != http.StatusOK+http.StatusConflict || len(d.Certificates) != 1 {
			t.Fatalf("both have it: %v, %d certificates", codes, len(d.Certificates))
		}
	}
}

func TestASampleOfAnUnknownKindIsAMistakeOfWhoAsks(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	byToken(x.Browser(), "technologist").Must(400, "GET", "/api/v1/sample?kind=xx", nil)
}
