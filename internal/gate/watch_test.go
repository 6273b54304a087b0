package gate

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/dimsetest"
	"collimator/internal/gate/kind"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/state"
)

// watching is a gate without a door that has read a file.
type watching struct {
	*testing.T
	*Gate
}

func newWatching(t *testing.T, text string) watching {
	t.Helper()
	w := watching{T: t, Gate: &Gate{
		Options: Options{
			File: filepath.Join(t.TempDir(), File), States: state.New(time.Now), Log: slog.New(slog.DiscardHandler), Now: time.Now,
			Outgoing: func(*guard.Service, string, string) any { return nil },
		},
		routes: map[string]*route{},
		open:   kind.Associations{},
	}}
	t.Cleanup(w.Close)
	w.put(text)
	if err := w.begin(); err != nil {
		t.Fatal(err)
	}
	return w
}

// put writes the file; empty takes it away.
func (w watching) put(text string) {
	w.Helper()
	err := os.Remove(w.File)
	if text != "" {
		err = os.WriteFile(w.File, []byte(text), 0o600)
	}
	if err != nil && !os.IsNotExist(err) {
		w.Fatal(err)
	}
}

// want wants routes by name, parted by blanks, and a state with a text; empty for none.
func (w watching) want(what, names string, level state.Level, text string) {
	w.Helper()
	var got []string
	for _, r := range w.Routes() {
		got = append(got, r.Name)
	}
	if strings.Join(got, " ") != names {
		w.Errorf("%s: routes %v, want %s", what, got, names)
	}

	all := w.States.All()
	switch {
	case text == "" && len(all) == 0:
	case text == "" || len(all) != 1:
		w.Errorf("%s: states %+v", what, all)
	case all[0].Name != StatePart || all[0].Level != level || !strings.Contains(all[0].Text, text):
		w.Errorf("%s: state %+v, want %s %q", what, all[0], level, text)
	}
}

// routesNamed is a file with routes of these names.
func routesNamed(names ...string) string {
	text := "routes:\n"
	for _, name := range names {
		text += "  - {name: " + name + ", protect: OLD@127.0.0.1:104, rules: [{name: all, registered: true}]}\n"
	}
	return text
}

func TestAChangeCountsWhenTwoLooksSawItAlike(t *testing.T) {
	t.Parallel()
	w := newWatching(t, routesNamed("PACS"))
	w.want("at the start", "PACS", state.Well, "1 route")

	w.put(routesNamed("PACS", "OTHER"))
	w.look()
	w.want("while it may still be written", "PACS", state.Well, "1 route")
	w.look()
	w.want("then", "OTHER PACS", state.Well, "2 routes")

	w.put("")
	w.look()
	w.want("gone for a moment", "OTHER PACS", state.Well, "2 routes")
	w.look()
	w.want("gone", "", state.Unknown, "")
	w.put(routesNamed("PACS"))
	w.look()
	w.look()
	w.want("there again", "PACS", state.Well, "1 route")
}

func TestABadFileChangesNothingAndIsTold(t *testing.T) {
	t.Parallel()
	w := newWatching(t, routesNamed("PACS"))
	w.put(strings.Replace(routesNamed("PACS"), "registered", "everybody", 1))
	for range 3 {
		w.look()
	}
	w.want("bad", "PACS", state.Failing, `route PACS: rule all: "everybody" on line 2 is not a field`)
	if do := w.States.All()[0].Do; !strings.Contains(do, "config check") {
		t.Errorf("what to do: %q", do)
	}

	w.put("routes:\n  - name: [")
	for range 3 {
		w.look()
	}
	w.want("no YAML", "PACS", state.Failing, w.File+": ")
	if text := w.States.All()[0].Text; strings.Contains(text, ".;") {
		t.Errorf("state %q", text)
	}

	w.put(routesNamed("PACS"))
	for range 2 {
		w.look()
	}
	w.want("as it was", "PACS", state.Well, "1 route")
	if w.watched.bad {
		t.Error("the file is still taken for a bad one")
	}
}

func TestARouteThatIsClosedIsToldUntilItIsOpenAgain(t *testing.T) {
	t.Parallel()
	w := newWatching(t, routesNamed("PACS", "OTHER"))
	w.put(strings.Replace(routesNamed("PACS", "OTHER"), "name: PACS,", "name: PACS, closed: true,", 1))
	w.look()
	w.look()
	w.want("closed", "OTHER PACS", state.Degraded, "2 routes; nobody is let through PACS")
	if _, err := w.at("PACS"); err != errClosed {
		t.Errorf("got %v", err)
	}
}

// openTo opens an association to a called title and waits until the gate knows of it.
func (s *site) openTo(title, route string, classes ...string) *dimse.Association {
	s.Helper()
	a, err := dimse.Dial(s.Context(), s.address, dimse.Config{
		CallingAETitle: title, CalledAETitle: route, Contexts: dimse.Propose(classes, []string{native}, false),
	})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(a.Abort)
	err = a.Echo(s.Context()) // the gate is told before any request, also one that it refuses
	if _, answered := errors.AsType[*dimse.StatusError](err); err != nil && !answered {
		s.Fatal(err)
	}
	return a
}

func TestClosingOrRemovingARouteEndsItsAssociationsAtOnceAndNoOthers(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(string) string{
		"closed":  func(text string) string { return strings.Replace(text, "name: PACS,", "name: PACS, closed: true,", 1) },
		"removed": func(string) string { return "" },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			asked, ended := make(chan struct{}), make(chan error, 1)
			s := newSite(t, "", dimsetest.Options{Mux: func(mux *dimse.Mux) {
				mux.HandleFind(func(ctx context.Context, _ *dimse.Association, _ *dimse.FindRequest, _ func(dimse.Match) bool) dimse.Status {
					close(asked)
					<-ctx.Done() // a search that takes its time
					ended <- context.Cause(ctx)
					return dimse.Status{}
				}, uid.StudyRootFind)
			}})
			s.device("WS1", policy.Verbs()...)
			route := func(name, system string) string {
				return "  - {name: " + name + ", protect: \"" + system + "@" + s.behind.Address + "\", rules: [{name: all, registered: true}]}\n"
			}
			pacs, more := route("PACS", "OLDPACS"), route("OTHER", "OTHERPACS")
			s.put("routes:\n" + pacs + more)

			idle := s.openTo("WS1", "PACS", uid.Verification)
			sending := s.openTo("OLDPACS", "WS1", uid.Verification) // as the system behind does
			other := s.openTo("WS1", "OTHER", uid.Verification)
			busy := s.openTo("WS1", "PACS", uid.Verification, uid.StudyRootFind)
			found := make(chan dimse.Status, 1)
			go func() {
				_, status := find(t, busy, map[tag.Tag]string{})
				found <- status
			}()
			<-asked
			s.gate.mu.Lock()
			pool := s.gate.routes["PACS"].pool
			s.gate.mu.Unlock()

			s.put("routes:\n" + change(pacs) + more)

			<-idle.Done()
			<-busy.Done()
			<-sending.Done()
			if status := <-found; status.Code == dimse.Success {
				t.Error("the search ended well")
			}
			<-ended // behind the gate, too
			s.gate.mu.Lock()
			if r := s.gate.routes["PACS"]; r != nil && r.pool == pool {
				t.Error("associations to the system behind are kept")
			}
			s.gate.mu.Unlock()
			if err := other.Echo(t.Context()); err != nil {
				t.Errorf("another route: %v", err)
			}
			if _, err := s.dial("WS1", uid.Verification); err == nil {
				t.Error("somebody was let in")
			}
		})
	}
}

func TestAnAssociationThatWasAdmittedBeforeItsRouteClosedIsAborted(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a := s.openTo("WS1", "PACS", uid.Verification)
	s.gate.mu.Lock()
	s.gate.routes["PACS"].Closed = true
	s.gate.mu.Unlock()

	if ended := s.gate.Opened(a); ended != nil {
		t.Error("it is kept")
	}
	<-a.Done()
}

func TestAnAssociationThatEndedIsForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	s.device("WS1", policy.Verbs()...)
	a := s.openTo("WS1", "PACS", uid.Verification)
	ended := s.gate.Opened(a)
	s.gate.mu.Lock()
	n := len(s.gate.open["PACS"])
	s.gate.mu.Unlock()
	if n == 0 {
		t.Error("it is not known")
	}
	ended()
	s.gate.mu.Lock()
	_, known := s.gate.open["PACS"][a]
	s.gate.mu.Unlock()
	if known {
		t.Error("it is still known")
	}
}

func TestOfTwoRoutesToOneSystemTheOpenOneSends(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", dimsetest.Options{})
	route := func(name, more string) string {
		return "  - {name: " + name + ", protect: \"OLDPACS@" + s.behind.Address + "\", rules: [{name: all, registered: true}]" + more + "}\n"
	}
	rq := &dimse.AssociateRequest{CallingAETitle: "OLDPACS", RemoteAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	for want, text := range map[string]string{
		"A": route("B", "") + route("A", ""),
		"B": route("A", ", closed: true") + route("B", ""),
		"C": route("C", ", closed: true") + route("D", ", closed: true"),
	} {
		s.put("routes:\n" + text)
		if got := s.gate.sender(rq); got != want {
			t.Errorf("%s sends, want %s", got, want)
		}
	}
}

// put writes the file of a site and has the gate take it up.
func (s *site) put(text string) {
	s.Helper()
	if err := os.WriteFile(s.gate.File, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	s.gate.look()
	s.gate.look()
	s.gate.lookUp(s.Context())
}
