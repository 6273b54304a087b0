package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dicomweb"
	"collimator/internal/db"
	"collimator/internal/house/housetest"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/policy"
	"collimator/internal/registers"
)

// asked is a call with a bearer token or a session.
func asked(t *testing.T, header, value string) *dicomweb.Call {
	r := httptest.NewRequest("GET", "https://localhost/dicom-web/studies/1.2", nil).WithContext(t.Context())
	r.Header.Set(header, value)
	return &dicomweb.Call{Request: r, Verb: dicomweb.Retrieving, Resource: dicomweb.Resource{StudyUID: "1.2"}}
}

func TestADownloadEndsWithinASecondAfterTheRightToIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin func(r *identity.Registry) (header, value string, end func() error)
	}{
		"token": {func(r *identity.Registry) (string, string, func() error) {
			x, secret, err := r.CreateToken(t.Context(), "ada", policy.AllVerbs(), nil, time.Hour)
			return "Authorization", "Bearer " + secret, func() error { return errors.Join(err, r.RevokeToken(t.Context(), x.ID)) }
		}},
		"session": {func(r *identity.Registry) (string, string, func() error) {
			_, secret, err := identity.NewSessions(r, identity.SessionLimits{}).Start(t.Context(), "ada", "totp", "", true, "")
			return "Cookie", SessionCookie + "=" + secret, func() error { _, e := r.EndMade(t.Context(), "ada"); return errors.Join(err, e) }
		}},
		"role": {func(r *identity.Registry) (string, string, func() error) {
			_, secret, err := r.CreateToken(t.Context(), "ada", policy.AllVerbs(), nil, time.Hour)
			return "Authorization", "Bearer " + secret, func() error { return errors.Join(err, r.SetRole(t.Context(), "ada", "researcher")) }
		}},
		"link": {func(r *identity.Registry) (string, string, func() error) {
			s, secret, _, err := r.CreateShare(t.Context(), identity.NewShare{Owner: "ada", Study: "1.2", Lifetime: time.Hour})
			var opened string
			if err == nil {
				opened, _, err = r.OpenShare(t.Context(), &s)
			}
			return "Cookie", ShareCookie + "=" + opened + "; x=" + secret, func() error { return errors.Join(err, r.RevokeShare(t.Context(), s.ID, "")) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			d.person("ada", policy.Administrator)
			d.person("root", policy.Administrator)
			header, value, end := c.begin(d.Registry)
			started, taken := make(chan struct{}), time.Time{}
			var all sync.WaitGroup
			all.Go(func() {
				d.InterceptWeb(t.Context(), asked(t, header, value), func(ctx context.Context) dicomweb.Outcome {
					close(started)
					<-ctx.Done()
					taken = time.Now()
					if !errors.Is(context.Cause(ctx), errEnded) {
						t.Errorf("it ended by %v", context.Cause(ctx))
					}
					return dicomweb.Outcome{Status: 200}
				})
			})
			<-started
			if err := end(); err != nil {
				t.Error(err)
			}
			ended := time.Now()
			all.Wait()
			if took := taken.Sub(ended); took > 10*watchEvery { // a machine may be busy
				t.Errorf("it went on for %v", took)
			}
		})
	}
}

func TestADownloadGoesOnWhileTheRightToItLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base, err := db.Open(t.Context(), db.Options{Path: filepath.Join(t.TempDir(), "index.db")})
		if err != nil {
			t.Fatal(err)
		}
		defer base.Close()
		key, err := ledger.OpenKey(filepath.Join(t.TempDir(), "keys"), "test")
		if err != nil {
			t.Fatal(err)
		}
		g := New(Options{Registry: identity.New(base, registers.New(base, ledger.New(base, key)), time.Now), Now: time.Now})
		if err := g.Registry.AddPerson(t.Context(), "ada", identity.Administrator, "correct horse battery"); err != nil {
			t.Fatal(err)
		}
		x, secret, err := g.Registry.CreateToken(t.Context(), "ada", policy.AllVerbs(), nil, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		call := asked(t, "Authorization", "Bearer "+secret)
		c, err := g.authenticateWeb(t.Context(), call.Request, "192.0.2.1", doorWeb)
		if err != nil {
			t.Fatal(err)
		}
		c.sight = g.judgeWeb(c, webRequest(call, "")).Sight
		ctx, end := g.watchWeb(t.Context(), c, call)
		defer end()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Fatalf("it ended by %v", context.Cause(ctx))
		}
		if err := g.Registry.RevokeToken(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(watchEvery)
		synctest.Wait()
		if !errors.Is(context.Cause(ctx), errEnded) {
			t.Errorf("after a second: %v", context.Cause(ctx))
		}
	})
}

func TestAnAnswerToASlowPeerIsCutOff(t *testing.T) {
	t.Parallel()
	g, wrote := &Guard{}, make(chan error, 1)
	s := httptest.NewTLSServer(g.Cuttable(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(cutKey{}).(*cutter)
		begun := make(chan struct{})
		go func() { <-begun; c.cut() }()
		piece := []byte(strings.Repeat("x", 1<<20))
		var err error
		for i := 0; err == nil && i < 1000; i++ { // the peer reads nothing of it
			_, err = w.Write(piece)
			if i == 0 {
				close(begun)
			}
		}
		wrote <- err
		panic(http.ErrAbortHandler)
	})))
	defer s.Close()
	r, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := <-wrote; err == nil {
		t.Error("the answer was not cut off")
	}
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		t.Error("the answer looks complete")
	}
}

func TestLinksAndTokensSearchAtABoundedRate(t *testing.T) {
	t.Parallel()
	c := housetest.NewClock()
	r := newRate(c.Now)
	took := func(key string, n int) (taken int) {
		for range n {
			if r.take(key) {
				taken++
			}
		}
		return taken
	}
	if n := took("a", 2*searchBurst); n != searchBurst {
		t.Errorf("%d at once", n)
	}
	c.Advance(2 * time.Second)
	if n := took("a", 100); n != 2*searchRate {
		t.Errorf("%d within two seconds", n)
	}
	if n := took("b", 10); n != 10 {
		t.Error("another one has to wait")
	}
	for i := range searchKeys + 10 {
		took(strings.Repeat("k", i%50)+string(rune('a'+i%26))+time.Duration(i).String(), 1)
	}
	if len(r.seen) > searchKeys+1 {
		t.Errorf("%d keys", len(r.seen))
	}
}

func TestWhatALinkDoesAgainAndAgainIsOneRecord(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.person("ada", policy.Administrator)
	_, secret, _, err := d.Registry.CreateShare(t.Context(), identity.NewShare{Owner: "ada", Study: "1.2", Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	d.records()
	statuses := map[int]int{}
	for i := range 3 * searchBurst {
		call := asked(t, "Authorization", "Bearer "+secret)
		call.Verb, call.Resource = dicomweb.Searching, dicomweb.Resource{}
		if i%3 == 2 { // what a link may not do
			call.Verb = dicomweb.Deleting
		}
		out := d.InterceptWeb(t.Context(), call, func(context.Context) dicomweb.Outcome { return dicomweb.Outcome{Status: 200, Matches: 1} })
		if e, ok := errors.AsType[*dicomweb.Error](out.Err); ok {
			out.Status = e.Status
		}
		statuses[out.Status]++
	}
	if statuses[200] != searchBurst || statuses[403] != searchBurst || statuses[429] != searchBurst {
		t.Errorf("statuses %v", statuses)
	}
	if n := len(d.records()); n > 3*sampleBurst {
		t.Errorf("%d records of %d requests", n, 3*searchBurst)
	}
	d.clock.Advance(sampleWindow)
	call := asked(t, "Authorization", "Bearer "+secret)
	call.Verb, call.Resource = dicomweb.Searching, dicomweb.Resource{}
	d.InterceptWeb(t.Context(), call, func(context.Context) dicomweb.Outcome { return dicomweb.Outcome{Status: 200, Matches: 1} })
	if r := d.one(); !strings.Contains(r.Objects[1].Detail, fmt.Sprintf("and %d requests like it", searchBurst-sampleBurst)) {
		t.Errorf("%+v", r.Objects)
	}
}
