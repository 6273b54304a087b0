package gate

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/gate/outbound"
	"collimator/internal/gate/reverse"
)

const pin = "sha256:4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a4f3c2b1a"

// away is a route of a modality that sends elsewhere.
func away() Route {
	return Route{Name: "CT2", Outbound: &outbound.Block{From: "CT2@10.0.0.9", To: "PACS2@pacs.example:2762", Fingerprint: pin}}
}

// A block that kinds leaves out would be read, and nothing would run it.
func TestEachBlockOfARouteMakesItsKind(t *testing.T) {
	t.Parallel()
	found := 0
	for field := range reflect.TypeFor[Route]().Fields() {
		if !field.Type.Implements(reflect.TypeFor[kind.Block]()) {
			continue
		}
		var r Route
		reflect.ValueOf(&r).Elem().FieldByIndex(field.Index).Set(reflect.New(field.Type.Elem()))
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if key == "web" { // stands beside protect, and adds to it
			continue
		}
		if r.Kind() != key || r.HasRules() {
			t.Errorf("a route with %s is of kind %s", key, r.Kind())
		}
		found++
	}
	if found == 0 {
		t.Error("no field of a route is a block")
	}
}

func TestPagesGuardAndListenBesideTheirSystem(t *testing.T) {
	t.Parallel()
	r := Route{Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", Web: &reverse.Block{To: "http://10.0.0.5:8042", At: "https://pacs.example:8443"}}
	if got := strings.Join(r.Guards(), " "); got != "10.0.0.5:104 10.0.0.5:8042" {
		t.Errorf("guarded: %s", got)
	}
	if got := strings.Join(r.Listeners(), " "); got != "0.0.0.0:8443" || !r.AtServer() || !r.HasRules() {
		t.Errorf("%s, at the server: %v, with rules: %v", got, r.AtServer(), r.HasRules())
	}
}

func TestARouteIsOfOneKind(t *testing.T) {
	t.Parallel()
	block := "    outbound: {from: CT2@10.0.0.9, to: PACS2@pacs.example:2762, fingerprint: '" + pin + "'}\n"
	for name, c := range map[string]struct{ text, want string }{
		"one":             {"  - name: CT2\n" + block, ""},
		"none":            {"  - name: CT2\n", "protect, outbound or messages is missing"},
		"two":             {"  - name: CT2\n    protect: OLD@10.0.0.5:104\n" + block, "protect and outbound cannot stand in one route"},
		"rules":           {"  - name: CT2\n" + block + "    rules: [{name: a, registered: true}]\n", "rules stands beside protect alone"},
		"a field":         {"  - name: CT2\n" + block + "    find_matches: 7\n", "find_matches stands beside protect alone"},
		"nobody's field":  {"  - name: CT2\n    outbound: {form: CT2@10.0.0.9}\n", `route CT2: outbound: "form" on line 3 is not a field; there are from, to`},
		"no mapping":      {"  - name: CT2\n    outbound: CT2\n", "route CT2: outbound: want keys with their values, such as from: CT2@10.0.0.9"},
		"in the block":    {"  - name: CT2\n    outbound: {from: CT2@ct2.example, to: A@b:1, plain: true}\n", `route 1 (CT2): outbound: from: "ct2.example" is not an IP address`},
		"the same twice":  {"  - name: CT2\n" + block + "  - name: CT3\n" + block, "route 2 (CT3): CT2 takes what CT2 at 10.0.0.9 sends to PACS2 already"},
		"another content": {"  - name: CT2\n" + block + "  - name: CT3\n" + strings.ReplaceAll(block, "PACS2", "PACS3"), ""},
	} {
		_, err := Parse([]byte("routes:\n" + c.text))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestARouteOfAnotherKindSaysWhatItIs(t *testing.T) {
	t.Parallel()
	r := away()
	e := Explain(r, House{AETitle: "CT2"})
	text := strings.Join(e.Lines(), "\n")
	for _, want := range []string{
		"What CT2 at 10.0.0.9 sends to PACS2, without TLS, is kept here and sent to pacs.example:2762",
		"It may echo, store and commit.",
		"never: CT2 is the AE title of the archive",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
	if r.Kind() != "outbound" || r.Leads() != "PACS2@pacs.example:2762" || r.CallsAs() != "CT2" || r.Granted() != "CT2@10.0.0.9: echo,store,commit" {
		t.Errorf("in a table: %s %s %s %s", r.Kind(), r.Leads(), r.CallsAs(), r.Granted())
	}

	r.Closed = true
	if e := Explain(r, House{}); !strings.HasPrefix(e.Says[0], "CLOSED") {
		t.Errorf("closed: %s", e.Says[0])
	}
}

func TestARouteWithoutRulesNeitherLearnsNorEnforces(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), File)
	if err := Add(file, away()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	now := time.Now()
	for name, err := range map[string]error{
		"learn":   Learn(file, "CT2", now.Add(time.Hour), now),
		"enforce": Enforce(file, "CT2", []Rule{{Name: "a", Registered: true}}),
	} {
		if fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "has no rules to learn or to enforce") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the file was changed: %v\n%s", err, after)
	}
}

func TestTheSameIsNotTakenByTwoRoutes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), File)
	first, second := away(), away()
	second.Name = "CT3"
	if err := Add(file, first); err != nil {
		t.Fatal(err)
	}
	if err := Add(file, second); fault.Of(err) != fault.Conflict {
		t.Errorf("a second route for the same: %v", err)
	}
}

// kept keeps what a kind was given last.
type kept struct{ routes []outbound.Route }

func (k *kept) Take(routes []outbound.Route) { k.routes = routes }

func TestAKindIsHandedItsRoutes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), File)
	if err := Add(file, away()); err != nil {
		t.Fatal(err)
	}
	k := &kept{}
	g := &Gate{Options: Options{File: file, Outbound: k, Log: slog.New(slog.DiscardHandler), Now: time.Now}, open: kind.Associations{}}
	if err := g.begin(); err != nil || len(k.routes) != 1 || k.routes[0].Name != "CT2" || k.routes[0].Closed {
		t.Fatalf("at the start: %v %+v", err, k.routes)
	}
	if all := g.Routes(); len(all) != 1 || g.Service("CT2") != nil {
		t.Errorf("listed are %+v", all)
	}

	look := func() { g.look(); g.look() }
	if _, err := SetClosed(file, "CT2", true); err != nil {
		t.Fatal(err)
	}
	if look(); len(k.routes) != 1 || !k.routes[0].Closed {
		t.Errorf("closed: %+v", k.routes)
	}
	if err := Remove(file, "CT2"); err != nil {
		t.Fatal(err)
	}
	if look(); len(k.routes) != 0 {
		t.Errorf("removed: %+v", k.routes)
	}
}
