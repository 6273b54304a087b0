package house_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

// withRoutes is an installation with a file of routes.
func withRoutes(t *testing.T, text string) *house.Installation {
	t.Helper()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := sitetest.Open(t, c)
	t.Cleanup(func() { in.Close() })
	if text != "" {
		if err := os.WriteFile(house.RoutesFile(c), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

const oneRoute = "routes:\n  - name: PACS\n    protect: OLDPACS@127.0.0.1:104\n" +
	"    rules: [{name: ward, who: [WS1, WS2], allow: [query]}, {name: old, who: [OLD1], allow: [store]}]\n"

func TestWhoChangedARouteIsRecorded(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, oneRoute)
	ctx := t.Context()
	if err := in.AddRoute(ctx, gate.Route{Name: "CT9", Protect: "CT9@127.0.0.1:105", Rules: []gate.Rule{{Name: "all", Registered: true}}}); err != nil {
		t.Fatal(err)
	}
	for _, closed := range []bool{true, true, false} {
		if _, err := in.CloseRoute(ctx, "PACS", closed); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.RemoveRoute(ctx, "PACS"); err != nil {
		t.Fatal(err)
	}
	if err := in.RemoveRoute(ctx, "PACS"); fault.Of(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}

	var got []string
	for r, err := range in.Trail.After(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Event == audit.GateChanged {
			got = append(got, string(r.Action)+" "+r.Objects[0].Device+" "+r.Objects[0].Detail)
		}
	}
	want := []string{"C CT9 added, to CT9@127.0.0.1:105, with 1 rule", "U PACS closed", "U PACS opened again", "D PACS removed"}
	if !slices.Equal(got, want) {
		t.Errorf("records %q", got)
	}
}

func TestRoutesAreExplainedWithTheDevicesOfTheRegister(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, oneRoute)
	for _, d := range []identity.Device{
		{AETitle: "WS1", Verbs: []policy.Verb{policy.Query}},
		{AETitle: "OLD1", Verbs: []policy.Verb{policy.Store}, Address: "127.0.0.1", PlaintextUntil: time.Now().Add(time.Hour)},
	} {
		if err := in.Registry.Put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	list, err := house.ExplainRoutes(t.Context(), in.Config)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	text := strings.Join(list[0].Lines(), "\n")
	for _, want := range []string{"WS2 is not registered", "OLD1 comes in without TLS", "WS1 and WS2 may query"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "WS1 is not") {
		t.Error(text)
	}
}

func TestRoutesAreExplainedWithoutADataDirectoryToo(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = t.TempDir()
	if list, err := house.ExplainRoutes(t.Context(), c); len(list) > 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	if err := os.WriteFile(house.RoutesFile(c), []byte(oneRoute), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := house.ExplainRoutes(t.Context(), c)
	if err != nil || len(list) != 1 || !strings.Contains(strings.Join(list[0].Lines(), "\n"), "not known here: there is no index") {
		t.Errorf("%+v, %v", list, err)
	}
	if entries, err := os.ReadDir(c.Data); err != nil || len(entries) != 1 {
		t.Errorf("it left %v, %v", entries, err)
	}
}

func TestAServerDoesNotStartOverABadFileOfRoutes(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, strings.Replace(oneRoute, "allow: [query]", "allow: [fly]", 1))
	_, err := house.NewServer(in, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if fault.EndingOf(err) != fault.Misused || !strings.Contains(err.Error(), `route 1 (PACS): rule 1 (ward): allow`) {
		t.Errorf("got %v", err)
	}
}

func TestAdviceOnARouteLooksAtTheListeners(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		protect, dicom, plain string
		want                  []string // in the warnings
		missing               string
	}{
		"far away": {"OLD@192.0.2.9:104", "127.0.0.1:2762", "127.0.0.1:11112",
			[]string{"callers on other machines do not reach 127.0.0.1:2762", "does not reach 127.0.0.1:11112"}, "leads back"},
		"in the network":              {"OLD@192.0.2.9:104", "0.0.0.0:2762", "0.0.0.0:11112", nil, "reach"},
		"on this machine":             {"OLD@127.0.0.1:104", "0.0.0.0:2762", "127.0.0.1:11112", nil, "reach"},
		"its own listener":            {"OLD@127.0.0.1:2762", "127.0.0.1:2762", "127.0.0.1:11112", []string{"unsafe: 127.0.0.1:2762 is the server's own listener (dicom)"}, ""},
		"by another name":             {"OLD@localhost:11112", "127.0.0.1:2762", "127.0.0.1:11112", []string{"own listener (plain_dicom)"}, ""},
		"at every address":            {"OLD@127.0.0.1:2762", "0.0.0.0:2762", "127.0.0.1:11112", []string{"own listener (dicom)"}, ""},
		"the port of another machine": {"OLD@192.0.2.9:2762", "0.0.0.0:2762", "0.0.0.0:11112", nil, "leads back"},
		"no listener without TLS":     {"OLD@127.0.0.1:104", "0.0.0.0:2762", "", []string{"plain_dicom is empty"}, ""},
	} {
		in := withRoutes(t, "")
		in.Config.DICOM, in.Config.PlainDICOM = c.dicom, c.plain
		rules, err := gate.RulesOf([]string{"WS1:echo"})
		if err != nil {
			t.Fatal(err)
		}
		a, err := in.AdviseRoute(t.Context(), gate.Route{Name: "PACS", Protect: c.protect, Rules: rules})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(a.Warnings, "\n")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, text)
			}
		}
		if c.missing != "" && strings.Contains(text, c.missing) {
			t.Errorf("%s: %q is in\n%s", name, c.missing, text)
		}
		if len(a.System) < 6 || !strings.Contains(a.Clients, "call AE title PACS at ") || strings.Contains(a.Clients, "0.0.0.0") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
