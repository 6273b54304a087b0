//go:build interop

package interop_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// gateAttack is one attack on a system that nobody can patch. First the harm is shown: what
// the attack does to the system itself. Then it comes through the gate, where it does none.
type gateAttack struct {
	id, what string
	kind     string          // of the victim
	flags    []string        // of the victim that is attacked itself
	harm     func(v *victim) // fails the test where the harm is not seen; nil where why says
	why      string          // no harm is shown: none of the victims suffers, in the version of Debian 12
	attempt  func(g *gated)  // the same by way of the gate
	after    func(v *victim) // what must not be seen behind the gate; may be nil
}

// gateAttacks are all of them.
func gateAttacks() []gateAttack {
	return slices.Concat(attacksOnAssociations(), attacksOnTitles(), attacksOnMessages(), attacksOnQueries(), attacksOnStores(), attacksOnDataSets())
}

// notByDIMSE are the attacks that cannot come to a system behind a route, with the reason.
var notByDIMSE = map[string]string{
	"DM-03": "none of the victims makes SQL of keys in a way that is known; keys are text in the gate, which has no query of its own",
	"DS-06": "numbers of a picture harm who decodes it; the gate decodes no pixels and passes them on as they are",
	"DS-07": "damaged frames harm who decodes them; the gate decodes none and passes them on as they are",
	"DS-08": "names in odd character sets are what equipment sends: they have to arrive as they were",
	"DS-12": "markup in names is text, and has to arrive as it was; pages of a system behind are for who shows them to escape",
	"DS-13": "formulas in names are text, as markup is; the gate's own log and record escape them",
	"FL-01": "a data set in C-STORE has no preamble: a polyglot file cannot come this way",
	"FL-02": "a data set in C-STORE has no meta information of a file",
	"FL-03": "no directory of a medium comes by C-STORE",
	"FL-05": "no ZIP file comes by C-STORE; one inside of an element is DS-09",
	"WB-01": "by the web", "WB-02": "by the web", "WB-03": "by the web", "WB-04": "by the web", "WB-05": "by the web",
	"WB-06": "by the web", "WB-07": "by the web", "WB-08": "by the web", "WB-09": "by the web", "WB-10": "by the web",
	"HL-01": "by HL7", "HL-02": "by HL7",
	"OP-01": "about how a system is run", "OP-02": "about how a system is run", "OP-03": "about how a system is run",
}

// attackCases are the identifiers of all known attacks on archives.
var attackCases = []string{
	"UL-01", "UL-02", "UL-03", "UL-04", "UL-05", "UL-06", "UL-07", "UL-08", "UL-09", "UL-10", "UL-11", "UL-12", "UL-13", "UL-14",
	"DM-01", "DM-02", "DM-03", "DM-04", "DM-05", "DM-06", "DM-07", "DM-08", "DM-09", "DM-10", "DM-11", "DM-12",
	"DS-01", "DS-02", "DS-03", "DS-04", "DS-05", "DS-06", "DS-07", "DS-08", "DS-09", "DS-10", "DS-11", "DS-12", "DS-13",
	"FL-01", "FL-02", "FL-03", "FL-04", "FL-05",
	"WB-01", "WB-02", "WB-03", "WB-04", "WB-05", "WB-06", "WB-07", "WB-08", "WB-09", "WB-10",
	"HL-01", "HL-02", "OP-01", "OP-02", "OP-03",
}

func TestEveryAttackIsTriedOnTheGateOrNamedWithAReason(t *testing.T) {
	t.Parallel()
	tried, harmful := map[string]bool{}, 0
	for _, c := range gateAttacks() {
		tried[c.id] = true
		if c.harm != nil {
			harmful++
		}
		if (c.harm == nil) != (c.why != "") {
			t.Errorf("%s, %s: harm is shown or not shown, and why", c.id, c.what)
		}
		if !slices.Contains(attackCases, c.id) {
			t.Errorf("%s is no known attack", c.id)
		}
	}
	for _, id := range attackCases {
		if why := notByDIMSE[id]; tried[id] == (why != "") {
			t.Errorf("%s: tried %v, reason %q", id, tried[id], why)
		}
	}
	if harmful < 25 {
		t.Errorf("the harm of %d attacks is shown", harmful)
	}
}

func TestWhatHarmsASystemDoesItNoneBehindTheGate(t *testing.T) {
	t.Parallel()
	site := startGated(t)
	t.Run("attacks", func(t *testing.T) {
		for i, c := range gateAttacks() {
			t.Run(c.id+" "+c.what, func(t *testing.T) {
				t.Parallel()
				if c.harm != nil {
					c.harm(newVictim(t, c.kind, c.flags...))
				}
				if t.Failed() {
					return
				}

				g := site.under(t, c.kind, fmt.Sprintf("127.0.%d.%d", 66+i/200, 1+i%200))
				c.attempt(g)
				g.unharmed()
				if c.after != nil {
					c.after(g.victim)
				}
			})
		}
	})
	site.calm()
}

// gateSite is a gate with a route to each victim, named like it.
type gateSite struct {
	t       *testing.T
	server  *harness.Server
	victims map[string]*victim
	keys    map[string]*tls.Config
	store1  *harness.Receiver // a destination that WITNESS may have sent to
	files   map[string]string // directories with the keys
}

// evil is the registered device that went bad.
const evil = "EVIL"

// startGated starts the gate and what stands behind it.
func startGated(t *testing.T) *gateSite {
	t.Helper()
	s := &gateSite{t: t, victims: map[string]*victim{}, keys: map[string]*tls.Config{}, files: map[string]string{}}
	kinds := []string{qrscp, storescp, orthanc, wlmscpfs}
	addresses := map[string]string{}
	var routes strings.Builder
	routes.WriteString("routes:\n")
	for _, kind := range kinds {
		addresses[kind] = harness.FreeAddress(t)
		routes.WriteString(routeTo(kind, addresses[kind]))
	}

	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "routes.yaml"), []byte(routes.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.server = harness.StartIn(t, data)

	at := harness.FreeAddress(t)
	s.register("STORE1", "--allow", "echo", "--listen", at)
	s.store1 = harness.StartReceiver(t, at, "STORE1", s.files["STORE1"])
	s.register(evil, harness.All...)
	s.register(witness, append(harness.All, "--move-to", "STORE1")...)
	for _, kind := range kinds {
		s.victims[kind] = startVictim(t, kind, addresses[kind], map[string]string{"STORE1": s.server.Plain, witness: s.server.Plain})
	}
	return s
}

// routeTo is the block of a route. A victim that serves one caller at a time gets one
// association.
func routeTo(kind, address string) string {
	associations := 4
	if kind == storescp {
		associations = 1
	}
	rules := "      - {name: registered, registered: true}\n"
	if kind == wlmscpfs {
		rules = "      - {name: modalities, who: [" + witness + "], allow: [worklist, echo]}\n"
	}
	return fmt.Sprintf("  - name: %s\n    protect: %s@%s\n    associations: %d\n    find_matches: 5\n    object_mib: 32\n    rules:\n%s",
		kind, kind, address, associations, rules)
}

func (s *gateSite) register(title string, flags ...string) {
	s.t.Helper()
	s.files[title] = s.server.Device(title, flags...)
	keys, err := keysOf(s.files[title], title)
	if err != nil {
		s.t.Fatal(err)
	}
	s.keys[title] = keys
}

// gated is one victim behind the gate, for one test.
type gated struct {
	*gateSite
	t      *testing.T
	victim *victim
	from   string // address of the attacker
}

func (s *gateSite) under(t *testing.T, kind, from string) *gated {
	v := *s.victims[kind]
	v.t = t
	return &gated{gateSite: s, t: t, victim: &v, from: from}
}

// through is the way to the victim for a registered device.
func (g *gated) through(title string) *target {
	to := &target{t: g.t, address: g.server.Address, called: g.victim.kind, calling: title, keys: g.keys[title]}
	if title == evil {
		to.from = g.from
	}
	return to
}

// stranger is the way for somebody who has the certificate of nobody: that of a device, and
// another title.
func (g *gated) stranger() *target { return g.through(evil).as("STRANGER") }

// counted numbers the images of the witness.
var counted atomic.Int64

// unharmed fails the test where the victim is not as before, or another device is not
// served by way of the gate.
func (g *gated) unharmed() {
	g.t.Helper()
	if !g.victim.alive() {
		g.t.Fatalf("%s has ended: %v\n%.2000s", g.victim.kind, g.victim.cmd.ProcessState, g.victim.output.String())
	}
	if g.victim.kind != storescp && !g.victim.itself().serves(20*time.Second) {
		g.t.Errorf("%s does not answer", g.victim.kind)
	}

	to := g.through(witness)
	if g.victim.kind == wlmscpfs {
		if !to.serves(40 * time.Second) {
			g.t.Error("another device is not served")
		}
		return
	}
	n := counted.Add(1)
	ds := harness.Instance{Study: uid.New(), PatientID: fmt.Sprint("ZZPHI-W", n), Fill: byte(n)}.DataSet(g.t)
	if code := to.put(ds); code != 0 {
		g.t.Errorf("another device is not served: %s", code)
	}
}

// calm is what must be true in the end.
func (s *gateSite) calm() {
	_, peak := s.server.RSS(s.t)
	s.t.Logf("the gate had %d MiB at most", peak>>20)
	if peak > attackMemory {
		s.t.Errorf("the gate had %d MiB at most", peak>>20)
	}
	for kind, v := range s.victims {
		s.t.Logf("%s had %d MiB at most", kind, v.peak())
	}
	for _, bad := range []string{harness.Marker, "\x1b", "\x00"} {
		if strings.Contains(s.server.Output(), bad) {
			s.t.Errorf("the log of the gate holds %q", bad)
		}
	}
	s.server.Must("verify", "--data", s.server.Data)
}
