package gate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/fault"
)

// block is a file with one route; what is given stands behind its first two lines.
func block(more string) string {
	return "routes:\n  - name: PACS\n    protect: OLD@10.0.0.5:104\n" + more
}

// ruled is a file with one route and one rule with these fields.
func ruled(rule string) string { return block("    rules:\n      - {name: ward, " + rule + "}\n") }

func TestABadFileIsRefusedByRouteRuleAndField(t *testing.T) {
	t.Parallel()
	const rule = "    rules: [{name: a, registered: true}]\n"
	for name, c := range map[string]struct{ text, want string }{
		"no YAML":               {"routes: [", "line 1"},
		"a sentence":            {"hello", "line 1: want keys with their values, such as routes:"},
		"unknown at the top":    {"route: []", `"route" on line 1 is not a field; there are routes`},
		"two documents":         {block(rule) + "---\n" + block(rule), "a second document"},
		"no list of routes":     {"routes: {name: PACS}", "routes on line 1: want a list"},
		"a route that is text":  {"routes: [PACS]", "route on line 1: want keys with their values, such as name: PACS"},
		"unknown in a route":    {block("    tls: true\n" + rule), `route PACS: "tls" on line 4 is not a field; there are name, protect, outbound, messages, web, as,`},
		"merged":                {block("    <<: {}\n" + rule), `route PACS: "<<" on line 4 is not a field`},
		"twice in a route":      {block("    as: A\n    as: B\n" + rule), "route PACS: as stands there twice, again on line 5"},
		"not a number":          {block("    associations: few\n" + rule), "route PACS: associations on line 4: want a whole number"},
		"a time without a unit": {block("    wait: 30\n" + rule), "route PACS: wait on line 4: want a time with its unit, such as 30s"},
		"neither true nor not":  {block("    closed: perhaps\n" + rule), "route PACS: closed on line 4: want true or false"},
		"too many associations": {block("    associations: 1000\n" + rule), "route 1 (PACS): associations is 1 to 256"},
		"a name with a blank":   {strings.Replace(block("    dicomweb: true\n"+rule), "PACS", "OLD PACS", 1), "route 1 (OLD PACS): dicomweb: the name of the route"},
		"no AE title":           {block("    dicomweb_as: 12345678901234567\n" + rule), "route 1 (PACS): dicomweb_as:"},
		"no rules":              {block(""), "route 1 (PACS): rules: there is none"},
		"rules as words":        {block("    rules: [everybody]\n"), "route PACS: rule on line 4: want keys"},
		"no name": {
			"routes:\n  - protect: OLD@10.0.0.5:104\n" + rule, "route 1 (): name:",
		},
		"no address": {"routes:\n  - {name: PACS, protect: OLD, rules: []}\n", `route 1 (PACS): protect: "OLD" is not AETITLE@HOST:PORT`},
		"name twice": {block(rule) + block(rule)[len("routes:\n"):], "route 2: the name PACS is taken"},

		"unknown in a rule":    {ruled("verbs: [echo]"), `route PACS: rule ward: "verbs" on line 5 is not a field; there are name, who, allow,`},
		"who is a word":        {ruled("who: CT1, allow: [echo]"), "route PACS: rule ward: who on line 5: want a list in brackets, such as [a, b]"},
		"verb":                 {ruled("who: [CT1], allow: [fly]"), `route 1 (PACS): rule 1 (ward): allow: policy: "fly" is an unknown verb; choose from`},
		"class":                {ruled("who: [CT1], allow: [store], classes: [CT]"), `rule 1 (ward): classes: "CT" is neither a UID nor a registered name`},
		"syntax":               {ruled("who: [CT1], allow: [store], syntaxes: [JPEG]"), "rule 1 (ward): syntaxes:"},
		"hours":                {ruled("who: [CT1], allow: [store], hours: always"), "rule 1 (ward): hours:"},
		"a rule for everybody": {ruled("allow: [store]"), "rule 1 (ward): who and allow are needed"},
		"registered and who":   {ruled("registered: true, who: [CT1]"), "rule 1 (ward): registered stands in place of who and allow"},
		"a patient as a study": {ruled("who: [CT1], allow: [store], studies: [1.2, ZZPHI-1]"), "rule 1 (ward): studies: number 2 is not a Study Instance UID"},
		"patients as a word":   {ruled("who: [CT1], allow: [store], patients: ZZPHI-1"), "rule ward: patients on line 5: want a list"},
	} {
		path := filepath.Join(t.TempDir(), File)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		routes, err := Load(path)
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Sentence(err), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %d routes, %v; want an error with %q", name, len(routes), err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "ZZPHI") {
			t.Errorf("%s: the error names a patient: %v", name, err)
		}
	}
}

func TestAFileMayBeMissingOrSayNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing yet\n", "routes:\n", "routes: []\n"} {
		if routes, err := Parse([]byte(text)); len(routes) > 0 || err != nil {
			t.Errorf("%q: %v, %v", text, routes, err)
		}
	}
	if routes, err := Load(filepath.Join(t.TempDir(), File)); routes != nil || err != nil {
		t.Errorf("%v, %v", routes, err)
	}

	// What is there and cannot be read is no file without routes.
	if _, err := Load(t.TempDir()); fault.Of(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestAnchorsStandForWhatTheyName(t *testing.T) {
	t.Parallel()
	routes, err := Parse([]byte(block("    rules:\n      - {name: a, who: &all [CT1, CT2], allow: [echo]}\n      - {name: b, who: *all, allow: [store]}\n")))
	if err != nil || len(routes) != 1 || len(routes[0].Rules[1].Who) != 2 {
		t.Errorf("%+v, %v", routes, err)
	}
}
