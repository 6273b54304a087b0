package house_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/house/housetest"
	"collimator/internal/house/sitetest"
	"collimator/internal/identity"
	"collimator/internal/tlsprofile"
)

// receiver is a registered device that takes what is sent to it.
type receiver struct {
	mu    sync.Mutex
	got   []string // SOP Instance UIDs
	asked []string // calling AE titles and move originators
}

// newReceiver registers title; hold is asked before the second object and those after it.
func newReceiver(x *sitetest.Site, title string, encrypted bool, hold func(context.Context)) *receiver {
	x.Helper()
	r := &receiver{}
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(ctx context.Context, a *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		if _, err := io.Copy(io.Discard, rq.Data); err != nil {
			return dimse.ProcessingFailure.Because(err)
		}
		r.mu.Lock()
		r.got = append(r.got, rq.SOPInstanceUID)
		r.asked = append(r.asked, a.CallingAETitle()+" "+rq.MoveOriginatorAETitle)
		n := len(r.got)
		r.mu.Unlock()
		if hold != nil && n > 1 {
			hold(ctx)
		}
		return dimse.Status{}
	})
	support := dimse.Support{TransferSyntaxes: func(string) []string { return uid.NativeSyntaxes() }}
	server := &dimse.Server{Mux: mux, Admit: func(_ context.Context, rq *dimse.AssociateRequest) (dimse.Acceptance, error) {
		return dimse.Negotiate(rq, support), nil
	}}

	d := identity.Device{AETitle: title}
	issued, err := x.In.Authority.IssueDevice(title, 0, true)
	if err != nil {
		x.Fatal(err)
	}
	if encrypted {
		pair, err := tls.X509KeyPair(issued.CertPEM, issued.KeyPEM)
		if err != nil {
			x.Fatal(err)
		}
		server.TLSConfig = tlsprofile.AssociationServer(func() (*tls.Certificate, error) { return &pair, nil })
	} else {
		d.Address, d.PlaintextUntil = "127.0.0.1", time.Now().Add(time.Hour)
	}
	d.Listen = housetest.Listen(x.T, server)
	if err := x.In.Registry.Put(x.Context(), d); err != nil {
		x.Fatal(err)
	}
	if err := x.In.Registry.Bind(x.Context(), title, issued.Certificate); err != nil {
		x.Fatal(err)
	}
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// sent begins a sending and waits, by what browsers are told, until it is in a state.
func sent(b *sitetest.Browser, path string, order map[string]any, until func(map[string]any) bool) map[string]any {
	b.Helper()
	stream := b.Open("/api/v1/events")
	if !hears(stream, "listening") {
		b.Fatal("nobody is told")
	}
	job := b.Must(200, "POST", path, order).JSON
	for !until(job) && hears(stream, `"sends"`) {
		job = b.Must(200, "GET", fmt.Sprintf("/api/v1/sends/%v", job["id"]), nil).JSON
	}
	stream.Body.Close()
	return job
}

func ended(job map[string]any) bool { return job["state"] != "running" }

// leaving are the records of what left for a person, as they say it.
func leaving(x *sitetest.Site, who string) (out []string) {
	for _, r := range x.Records() {
		if r.Principal == who && (r.Event == audit.Transferring || r.Event == audit.Transferred && r.Action == audit.Read) {
			o := r.Objects[0]
			out = append(out, fmt.Sprint(r.Event, " ", r.Outcome, " ", r.Door, " to ", r.Peer.Destination, " ", o.Study, " ", o.Patient, " ", o.Instances, " ", o.Failed))
		}
	}
	return out
}

func TestAStudyIsSentToARegisteredDeviceAndThatIsRecordedAsAMoveIs(t *testing.T) {
	t.Parallel()
	for _, encrypted := range []bool{true, false} {
		t.Run(fmt.Sprint("encrypted ", encrypted), func(t *testing.T) {
			t.Parallel()
			x := sitetest.NewPeopledSite(t, nil)
			r := newReceiver(x, "WS1", encrypted, nil)
			b := x.SignIn("radiologist")
			if a := b.Must(200, "GET", "/api/v1/destinations", nil); a.Text != `{"items":[{"aeTitle":"WS1"}]}`+"\n" {
				t.Errorf("destinations: %s", a.Text)
			}

			job := sent(b, "/api/v1/studies/2.25.70/send", map[string]any{"to": "WS1"}, ended)
			if job["state"] != "done" || job["done"] != 3.0 || job["total"] != 3.0 || job["failed"] != 0.0 || job["by"] != "radiologist" || job["ended"] == nil {
				t.Errorf("the job: %v", job)
			}
			slices.Sort(r.got)
			if !slices.Equal(r.got, []string{"2.25.90", "2.25.91", "2.25.92"}) || r.asked[0] != x.In.Config.AE+" " {
				t.Errorf("arrived: %v from %v", r.got, r.asked)
			}
			want := []string{
				fmt.Sprint(audit.Transferring, " ", audit.Success, " ", audit.DoorAPI, " to WS1 2.25.70 ZZPHI-0 0 0"),
				fmt.Sprint(audit.Transferred, " ", audit.Success, " ", audit.DoorAPI, " to WS1 2.25.70 ZZPHI-0 3 0"),
			}
			if got := leaving(x, "radiologist"); !slices.Equal(got, want) {
				t.Errorf("recorded: %q", got)
			}

			job = sent(b, "/api/v1/studies/2.25.70/send", map[string]any{"to": "WS1", "series": []string{"2.25.811"}}, ended)
			if job["state"] != "done" || job["total"] != 1.0 || r.count() != 4 {
				t.Errorf("a series: %v, %d", job, r.count())
			}
		})
	}
}

func TestAStudyIsSentByWhomItIsShownToAndToNobodyElse(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	r := newReceiver(x, "WS1", true, nil)
	if err := x.In.Registry.Put(t.Context(), identity.Device{AETitle: "MUTE"}); err != nil {
		t.Fatal(err)
	}
	if err := x.In.Registry.Put(t.Context(), identity.Device{AETitle: "GONE", Listen: "127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	radiologist, referrer, researcher := x.SignIn("radiologist"), x.SignIn("referrer"), x.SignIn("researcher")

	const one = "/api/v1/studies/2.25.70/send"
	for _, tc := range []struct {
		b      *sitetest.Browser
		status int
		path   string
		to     string
		series string
	}{
		{referrer, 403, "/api/v1/studies/2.25.71/send", "WS1", ""},
		{researcher, 403, one, "WS1", ""}, // who sees it without identity alone
		{radiologist, 404, one, "EVIL", ""},
		{radiologist, 404, one, "127.0.0.1:104", ""},
		{radiologist, 404, one, "MUTE", ""},
		{radiologist, 400, one, `A\B`, ""},
		{radiologist, 404, "/api/v1/studies/2.25.999/send", "WS1", ""},
		{radiologist, 404, one, "WS1", "2.25.823"}, // of another study
		{radiologist, 400, one, "WS1", "x"},
	} {
		order := map[string]any{"to": tc.to}
		if tc.series != "" {
			order["series"] = []string{tc.series}
		}
		tc.b.Must(tc.status, "POST", tc.path, order)
	}
	if r.count() != 0 {
		t.Errorf("%d objects left", r.count())
	}
	if x.Recorded(audit.SecurityAlert, "researcher", "") == 0 {
		t.Error("the refusal of a researcher is not recorded")
	}
	if n := x.Recorded(audit.Transferred, "radiologist", ""); n != 5 {
		t.Errorf("%d records of what could not be sent", n)
	}

	job := sent(radiologist, one, map[string]any{"to": "GONE"}, ended)
	if job["state"] != "failed" || job["why"] != "unreachable" || job["failed"] != 3.0 {
		t.Errorf("to a device that is not there: %v", job)
	}
	own := referrer.Must(200, "POST", one, map[string]any{"to": "WS1"}).JSON
	path := fmt.Sprintf("/api/v1/sends/%v", own["id"])
	referrer.Must(200, "GET", path, nil)
	radiologist.Must(404, "GET", path, nil)
	radiologist.Must(404, "DELETE", path, nil)
	if list := items(t, referrer.Must(200, "GET", "/api/v1/sends", nil)); len(list) != 1 {
		t.Errorf("a person sees %v", list)
	}
	if list := items(t, x.SignIn("administrator").Must(200, "GET", "/api/v1/sends", nil)); len(list) != 2 || list[0]["by"] != "referrer" {
		t.Errorf("an administrator sees %v", list)
	}
}

func TestASendingIsStoppedAndSaysWhatArrived(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	release := make(chan struct{})
	r := newReceiver(x, "WS1", true, func(ctx context.Context) {
		select {
		case <-release:
		case <-ctx.Done():
		}
	})
	b := x.SignIn("radiologist")

	job := sent(b, "/api/v1/studies/2.25.70/send", map[string]any{"to": "WS1"}, func(j map[string]any) bool { return j["done"] == 1.0 })
	path := fmt.Sprintf("/api/v1/sends/%v", job["id"])
	stream := b.Open("/api/v1/events")
	if !hears(stream, "listening") {
		t.Fatal("nobody is told")
	}
	b.Must(204, "DELETE", path, nil)
	close(release)
	for job["state"] == "running" && hears(stream, `"sends"`) {
		job = b.Must(200, "GET", path, nil).JSON
	}
	if job["state"] != "stopped" || job["why"] != nil || job["done"].(float64) > 2 || r.count() > 2 {
		t.Errorf("stopped: %v, %d arrived", job, r.count())
	}
	if got := leaving(x, "radiologist"); len(got) != 2 {
		t.Errorf("recorded: %q", got)
	}
	b.Must(204, "DELETE", path, nil) // once more changes nothing
}

// A device that stalls holds up neither the end of the server nor the record, and only so much is sent at once.
func TestTheEndOfTheServerEndsWhatIsSentAndFewAreSentAtOnce(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	newReceiver(x, "WS1", true, func(ctx context.Context) { <-ctx.Done() })
	b := x.SignIn("radiologist")
	const path = "/api/v1/studies/2.25.70/send"
	for range 3 {
		b.Must(200, "POST", path, map[string]any{"to": "WS1"})
	}
	if a := b.Must(503, "POST", path, map[string]any{"to": "WS1"}); a.JSON["code"] != "busy" {
		t.Errorf("a fourth: %s", a.Text)
	}

	x.Server.Services().Sends.Close()
	for _, job := range items(t, b.Must(200, "GET", "/api/v1/sends", nil)) {
		if job["state"] == "running" || job["state"] == "done" || job["ended"] == nil {
			t.Errorf("after the end: %v", job)
		}
	}
	if a := b.Must(503, "POST", path, map[string]any{"to": "WS1"}); a.JSON["code"] != "unavailable" {
		t.Errorf("after the end: %s", a.Text)
	}
}

func TestWhoLosesTheStudySendsNoMoreOfIt(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	newReceiver(x, "WS1", true, func(ctx context.Context) { <-ctx.Done() })
	b, administrator := x.SignIn("radiologist"), x.SignIn("administrator")
	job := sent(b, "/api/v1/studies/2.25.70/send", map[string]any{"to": "WS1"}, func(j map[string]any) bool { return j["done"] == 1.0 })
	stream := administrator.Open("/api/v1/events")
	if !hears(stream, "listening") {
		t.Fatal("nobody is told")
	}
	administrator.Must(200, "POST", "/api/v1/people/radiologist/role", map[string]string{"role": "auditor"})
	for job["state"] == "running" && hears(stream, `"sends"`) {
		job = administrator.Must(200, "GET", fmt.Sprintf("/api/v1/sends/%v", job["id"]), nil).JSON
	}
	if job["state"] != "failed" || job["why"] != "not-allowed" || job["done"] != 1.0 {
		t.Errorf("the job: %v", job)
	}
}
