package house_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/gate/reverse"
	"collimator/internal/house"
)

const routeWithPages = "routes:\n  - {name: PACS, protect: OLD@127.0.0.1:104, web: {to: 'http://127.0.0.1:1', at: 'https://pacs.example:8444', product: orthanc}}\n" +
	"  - {name: BARE, protect: OLD@127.0.0.1:105, rules: [{name: all, registered: true}]}\n"

func TestThePasswordOfPagesIsKeptApartFromTheRouteAndGoesWithIt(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, routeWithPages)
	if err := in.SetPagePassword(t.Context(), "PACS", "gate", "zz secret: with all"); err != nil {
		t.Fatal(err)
	}
	name, password, err := in.PagePassword("PACS", "http://127.0.0.1:1")
	if err != nil || name != "gate" || password != "zz secret: with all" {
		t.Errorf("%q, %q, %v", name, password, err)
	}
	for _, elsewhere := range []string{"http://127.0.0.1:2", "https://127.0.0.1:1", "http://10.0.0.1:1", ""} {
		if name, password, err := in.PagePassword("PACS", elsewhere); name+password != "" || fault.Of(err) != fault.Unavailable || strings.Contains(err.Error(), "zz secret") {
			t.Errorf("at %s it is shown, too: %v", elsewhere, err)
		}
	}
	file := filepath.Join(in.Config.Data, house.KeysDir, "pages", "PACS")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if text, _ := os.ReadFile(house.RoutesFile(in.Config)); strings.Contains(string(text), "zz secret") {
		t.Error("it stands in the file of the routes")
	}

	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, password, err := in.PagePassword("PACS", "http://127.0.0.1:1"); err == nil || password != "" {
		t.Errorf("one that others may read is taken: %v", err)
	}
	if err := in.RemoveRoute(t.Context(), "PACS"); err != nil {
		t.Fatal(err)
	}
	if name, password, err := in.PagePassword("PACS", "http://127.0.0.1:1"); name+password != "" || err != nil {
		t.Errorf("a route of the same name would show it: %q %v", name, err)
	}
}

func TestAPasswordThatCannotBeShownIsNotKept(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, routeWithPages)
	for what, c := range map[string]struct {
		route, name, password string
		want                  fault.Kind
	}{
		"no route":        {"NONE", "a", "b", fault.NotFound},
		"no pages":        {"BARE", "a", "b", fault.Invalid},
		"a colon":         {"PACS", "a:b", "c", fault.Invalid},
		"a line":          {"PACS", "a", "b\nc", fault.Invalid},
		"no name":         {"PACS", "", "b", fault.Invalid},
		"no password":     {"PACS", "a", "", fault.Invalid},
		"a path of files": {"../PACS", "a", "b", fault.NotFound},
		"too long":        {"PACS", "a", strings.Repeat("b", 2000), fault.Invalid},
	} {
		if err := in.SetPagePassword(t.Context(), c.route, c.name, c.password); fault.Of(err) != c.want {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := in.PagePassword("../../etc/passwd", "http://127.0.0.1:1"); err == nil {
		t.Error("a path is taken")
	}
}

func TestThePasswordOfPagesGoesAlsoWhereTheyWereTakenOutBefore(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, routeWithPages)
	if err := in.SetPagePassword(t.Context(), "PACS", "gate", "zz secret"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(house.RoutesFile(in.Config), []byte("routes:\n  - {name: PACS, protect: OLD@127.0.0.1:104, rules: [{name: all, registered: true}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := in.SetPagePassword(t.Context(), "PACS", "", ""); err != nil {
		t.Error(err)
	}
	if name, password, err := in.PagePassword("PACS", "http://127.0.0.1:1"); name+password != "" || err != nil {
		t.Errorf("it is kept: %q, %v", name, err)
	}
}

func TestAdviceOnPagesNamesTheirRouteAndWhatTheirCertificateLacks(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, routeWithPages)
	r, _, err := in.Route(t.Context(), "PACS")
	if err != nil {
		t.Fatal(err)
	}
	in.Config.TLS.Certificate, in.Config.TLS.Key = house.HospitalPair(t, time.Hour)
	a, err := in.AdviseRoute(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(a.System); !strings.Contains(text, "'collimator gate password PACS --user gate'") {
		t.Error(text)
	}
	if text := strings.Join(a.Warnings, "\n"); !strings.Contains(text, "note: tls.certificate: ") || !strings.Contains(text, "is not valid for pacs.example,") {
		t.Error(text)
	}
}

func TestAdviceSaysWherePeopleDoNotReachTheSignIn(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, routeWithPages)
	for name, c := range map[string]struct {
		route, http string
		want        bool
	}{
		"pages, here alone":  {"PACS", "127.0.0.1:8443", true},
		"pages, no listener": {"PACS", "", true},
		"pages":              {"PACS", "0.0.0.0:8443", false},
		"no pages":           {"BARE", "127.0.0.1:8443", false},
	} {
		in.Config.HTTP = c.http
		r, _, err := in.Route(t.Context(), c.route)
		if err != nil {
			t.Fatal(err)
		}
		a, err := in.AdviseRoute(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(a.Warnings, "\n"); strings.Contains(text, "do not reach http (") != c.want {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestPagesThatAreNotThereAreToldOf(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := gate.Route{Name: "PACS", Web: &reverse.Block{To: "http://" + ln.Addr().String()}}
	if err := house.DialPages(t.Context(), r); err != nil {
		t.Error(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := house.DialPages(t.Context(), r); err == nil || !strings.Contains(err.Error(), "its pages are not at http://"+ln.Addr().String()) {
		t.Errorf("nobody listens: %v", err)
	}
}
