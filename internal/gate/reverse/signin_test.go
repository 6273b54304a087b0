package reverse

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
)

func TestWhoIsNotSignedInIsLedToTheConsoleAndReachesNothing(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	b := x.browser()
	if _, to := x.led(b, "/app/a?x=1"); to != "/app/a?x=1" {
		t.Errorf("led for %q", to)
	}
	if _, to := x.led(b, "/a/%2e%2e/b"); to != "/" {
		t.Errorf("led for %q", to)
	}
	for _, c := range [][]string{
		{"POST", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, {"GET"}, {"GET", "Sec-Fetch-Mode", "cors", "Accept", "text/html"},
		{"GET", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, {"DELETE"}, {"GET", "Cookie", x.site("PACS").visitCookie + "=" + newSecret()},
		{"GET", "Authorization", "Basic Z2F0ZTp6ei1zZWNyZXQtYmVoaW5k"}, {"GET", "Cookie", "__Host-session=" + newSecret()},
	} {
		if a := x.do(x.browser(), c[0], "/app/a", nil, c[1:]...); a.StatusCode != 401 || strings.Contains(a.text, "zz-secret") {
			t.Errorf("%v: %d %s", c, a.StatusCode, a.text)
		}
	}
	if x.count() != 0 {
		t.Errorf("the system behind got %d requests", x.count())
	}
}

// A ticket counts once, for thirty seconds, in the browser that was led to the console, and at its route.
func TestATicketSignsInTheBrowserThatAskedAndNoOther(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	enter := func(b *http.Client, address string) int {
		return x.do(b, "GET", address, nil, navigation...).StatusCode
	}

	mine, theirs := x.browser(), x.browser()
	nonce, to := x.led(mine, "/app/a")
	ticket, err := x.Ticket(t.Context(), x.guest("radiologist"), "PACS", nonce, to)
	if err != nil {
		t.Fatal(err)
	}
	x.led(theirs, "/") // has a nonce of its own
	for _, b := range []*http.Client{theirs, x.browser()} {
		if got := enter(b, ticket); got != 403 {
			t.Errorf("another browser is signed in as somebody else: %d", got)
		}
		if a := x.do(b, "GET", "/app/a", nil); a.StatusCode != 401 {
			t.Errorf("%d", a.StatusCode)
		}
	}
	if got := enter(mine, ticket); got != 403 {
		t.Errorf("a ticket that another browser showed counts: %d", got)
	}

	again := func() string {
		nonce, to := x.led(mine, "/app/a")
		ticket, err := x.Ticket(t.Context(), x.guest("radiologist"), "PACS", nonce, to)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	late := again()
	x.reg.Clock.Advance(ticketFor)
	if got := enter(mine, late); got != 403 {
		t.Errorf("a ticket of half a minute ago counts: %d", got)
	}
	good := again()
	a := x.do(mine, "GET", good, nil, navigation...)
	if m := refresh.FindStringSubmatch(a.text); a.StatusCode != 200 || m == nil || m[1] != "/app/a" {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	if enter(mine, good) != 403 {
		t.Error("it counts twice")
	}
	if a := x.do(mine, "GET", "/app/a", nil); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.text)
	}
}

func TestATicketIsGivenForAPageOfARouteThatIsThereToWhoMaySeeIt(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	nonce := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		who, route, nonce, to string
		want                  fault.Kind
	}{
		"no route":      {"radiologist", "OTHER", nonce, "/", fault.NotFound},
		"a role":        {"referrer", "PACS", nonce, "/", fault.Denied},
		"a vendor":      {"vendor", "PACS", nonce, "/", fault.Denied},
		"no nonce":      {"radiologist", "PACS", "", "/", fault.Invalid},
		"half a nonce":  {"radiologist", "PACS", nonce[:32], "/", fault.Invalid},
		"elsewhere":     {"radiologist", "PACS", nonce, "https://evil.example/", fault.Invalid},
		"elsewhere too": {"radiologist", "PACS", nonce, "//evil.example/", fault.Invalid},
		"above":         {"radiologist", "PACS", nonce, "/a/..//evil.example", fault.Invalid},
	} {
		if address, err := x.Ticket(t.Context(), x.guest(c.who), c.route, c.nonce, c.to); fault.Of(err) != c.want {
			t.Errorf("%s: %q, %v", name, address, err)
		}
	}
	for range ticketsOfMost {
		if _, err := x.Ticket(t.Context(), x.guest("radiologist"), "PACS", nonce, "/"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Ticket(t.Context(), x.guest("radiologist"), "PACS", nonce, "/"); fault.Of(err) != fault.Busy {
		t.Errorf("one session has more tickets than it may: %v", err)
	}
	if _, err := x.Ticket(t.Context(), x.guest("administrator"), "PACS", nonce, "/"); err != nil {
		t.Errorf("which keeps another one out: %v", err)
	}
}

// What ends the right of a person ends it here, too, at the next request and in what runs.
func TestTheSessionAtThePagesEndsWithThatOfThePerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(x *rig)
		want int
	}{
		"signed out":  {func(x *rig) { x.must(x.door.Sessions.End(x.Context(), "radiologist", x.persons["radiologist"].ID)) }, 401},
		"removed":     {func(x *rig) { x.must(x.reg.Registry.DisablePerson(x.Context(), "radiologist")) }, 401},
		"other role":  {func(x *rig) { x.must(x.reg.Registry.SetRole(x.Context(), "radiologist", string(policy.Auditor))) }, 403},
		"idle":        {func(x *rig) { x.reg.Clock.Advance(31 * time.Minute) }, 401},
		"past midday": {func(x *rig) { x.reg.Clock.Advance(13 * time.Hour) }, 401},
		"other rules": {func(x *rig) { r := x.route; r.UploadMiB = 2; x.Take([]Route{r}); x.await() }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := make(chan struct{})
			x := newRig(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/long" {
					w.WriteHeader(200)
					w.(http.Flusher).Flush()
					w.Write(make([]byte, 1024))
					w.(http.Flusher).Flush()
					<-r.Context().Done()
					close(held)
				}
			}, nil)
			b := x.signedIn("radiologist")
			if a := x.do(b, "GET", "/a", nil); a.StatusCode != 200 {
				t.Fatalf("%d %s", a.StatusCode, a.text)
			}
			running := make(chan struct{})
			go func() { defer close(running); x.do(b, "GET", "/long", nil) }()
			for x.last().URL.Path != "/long" {
				time.Sleep(time.Millisecond)
			}
			c.end(x)
			if name != "idle" { // who waits for an answer is not idle
				<-held
				<-running
			}
			if a := x.do(b, "GET", "/a", nil); a.StatusCode != c.want && !(c.want == 403 && a.StatusCode == 401) {
				t.Errorf("%d, want %d", a.StatusCode, c.want)
			}
		})
	}
}

func (x *rig) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func TestACloseOfTheRouteEndsItsPagesAtOnce(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	b := x.signedIn("radiologist")
	r := x.route
	r.Closed = true
	x.Take([]Route{r})
	if _, err := b.Get(x.at + "/a"); err == nil {
		t.Error("the pages of a closed route answer")
	}
	x.Take([]Route{x.route})
	x.await()
	if a := x.do(b, "GET", "/a", nil); a.StatusCode != 401 {
		t.Errorf("%d: who was signed in before it closed still is", a.StatusCode)
	}
}

func TestTheTrailSaysWhoDidWhatAndNothingOfPatients(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, func(b *Block) {
		b.Allow = append(b.Allow, Rule{Name: "one", Roles: []string{"auditor"}, Methods: []string{"GET"}, Paths: []string{"/patients/*"}})
	})
	x.do(x.signedIn("administrator"), "POST", "/in/ZZPHI-4711?name=ZZPHI", []byte("ZZPHI body"))
	x.do(x.signedIn("radiologist"), "GET", "/ZZPHI/name?name=ZZPHI", nil)
	x.do(x.signedIn("radiologist"), "DELETE", "/in/ZZPHI", nil)
	var all strings.Builder
	passed, refused := 0, 0
	for _, r := range x.records() {
		all.WriteString(r.Reason + r.Rule)
		for _, o := range r.Objects {
			all.WriteString(o.Detail + "\n")
		}
		switch {
		case r.Event == audit.PagePassed:
			passed++
			if r.Door != audit.DoorPage || r.Peer.CalledAETitle != "PACS" || r.Principal == "" || r.Peer.Address == "" || !strings.Contains(r.Rule, "rule ") {
				t.Errorf("%+v", r)
			}
		case r.Event == audit.SecurityAlert && r.Principal == "radiologist":
			refused++
		}
	}
	text := all.String()
	if strings.Contains(text, "ZZPHI") || !strings.Contains(text, "POST /in/*: status 200, 10 bytes to it, 2 from it") || passed != 2 || refused != 1 {
		t.Errorf("%d passed, %d refused: %s", passed, refused, text)
	}
	if strings.Contains(x.log.String(), "ZZPHI") || strings.Contains(x.log.String(), behindPassword) {
		t.Errorf("the log: %s", x.log.String())
	}
}

func TestTheAddressInAJumpToTheConsoleIsOfTheConsole(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	for _, host := range []string{"evil.example", "127.0.0.1:1", "console.example:8443"} {
		rq, _ := http.NewRequest("GET", x.at+"/", nil)
		rq.Host = host
		rsp, err := x.browser().Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		rsp.Body.Close()
		if rsp.StatusCode != http.StatusMisdirectedRequest || rsp.Header.Get("Location") != "" {
			t.Errorf("%s: %d %s", host, rsp.StatusCode, rsp.Header.Get("Location"))
		}
	}
	if _, err := url.Parse(x.Console()); err != nil {
		t.Error(err)
	}
}

// What cannot be decided is refused: here nobody can say whose the session is.
func TestWhatCannotBeDecidedReachesNothing(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, nil)
	b := x.signedIn("administrator")
	x.must(x.reg.DB.Close())
	for _, method := range []string{"GET", "DELETE"} {
		if a := x.do(b, method, "/in/a", nil); a.StatusCode < 500 {
			t.Errorf("%s: %d %s", method, a.StatusCode, a.text)
		}
	}
	if x.count() != 0 {
		t.Error("the system behind heard of it")
	}
}
