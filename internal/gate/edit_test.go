package gate

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"collimator/internal/durable"
	"collimator/internal/fault"
)

// edited is a file in a directory of its own.
func edited(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), File)
	if text != "" {
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%v, the file holds\n%s\nwant\n%s", err, got, want)
	}
}

// full is a route with every field.
var full = Route{
	Name: "PACS", Protect: "OLDPACS@10.0.0.5:104", As: "GATE", Associations: 2, Waiting: 8, Wait: 90 * time.Second, FindMatches: 500,
	Rules: []Rule{
		{Name: "CT1,CT2", Who: []string{"CT1", "CT 2"}, Allow: []string{"echo", "store"}, Classes: []string{"CT Image Storage"},
			Syntaxes: []string{"1.2.840.10008.1.2"}, Hours: "mon-fri 06:00-20:00", Studies: []string{"1.2.3"}, Patients: []string{"007"}},
		{Name: "all", Registered: true},
	},
}

func TestARouteIsReadAsItWasAdded(t *testing.T) {
	t.Parallel()
	path := edited(t, "")
	if err := Add(path, full); err != nil {
		t.Fatal(err)
	}
	routes, err := Load(path)
	if err != nil || !reflect.DeepEqual(routes, []Route{full}) {
		t.Errorf("%+v, %v", routes, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	holds(t, path, head+`
routes:
  - name: PACS
    protect: OLDPACS@10.0.0.5:104
    as: GATE
    associations: 2
    waiting: 8
    wait: 1m30s
    find_matches: 500
    rules:
      - name: CT1,CT2
        who: [CT1, CT 2]
        allow: [echo, store]
        classes: [CT Image Storage]
        syntaxes: [1.2.840.10008.1.2]
        hours: mon-fri 06:00-20:00
        studies: [1.2.3]
        patients: ["007"]
      - name: all
        registered: true
`)

	block, err := Block(full)
	if err != nil || !strings.HasPrefix(block, "- name: PACS\n  protect: OLDPACS@10.0.0.5:104\n") {
		t.Errorf("%v, the block is\n%s", err, block)
	}
}

// written is a file as a person has it, with comments wherever they can stand.
const written = `# The gate of the radiology.
# Ask Ada before you change it.

routes: # both are old
  # The old PACS, until 2031.
  - name: PACS # called by everybody
    protect: OLDPACS@10.0.0.5:104
    # No more than its licence has.
    associations: 2
    rules:
      # The modalities.
      - {name: modalities, who: [CT1, CT2], allow: [store, echo]} # no queries
      - name: ward
        who:
          - WS1 # beside the kitchen
        allow: [query]
  # The CT that nobody may touch.
  - name: CT9
    protect: CT9@10.0.0.9:104
    rules: [{name: all, registered: true}]
# The end.
`

func TestAnEditKeepsCommentsOrderAndMode(t *testing.T) {
	t.Parallel()
	path := edited(t, written)
	if changed, err := SetClosed(path, "PACS", true); !changed || err != nil {
		t.Fatalf("changed %t, %v", changed, err)
	}
	closed := strings.Replace(written, "    associations: 2\n", "    associations: 2\n    closed: true\n", 1)
	holds(t, path, closed)
	if changed, err := SetClosed(path, "PACS", true); changed || err != nil {
		t.Errorf("closed again: changed %t, %v", changed, err)
	}
	holds(t, path, closed)
	if changed, err := SetClosed(path, "PACS", false); !changed || err != nil {
		t.Errorf("changed %t, %v", changed, err)
	}
	holds(t, path, strings.Replace(closed, "closed: true", "closed: false", 1))

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestARouteGoesWithItsCommentsAndNoOther(t *testing.T) {
	t.Parallel()
	path := edited(t, written)
	if err := Remove(path, "CT9"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"CT9": false, "Ask Ada": true, "until 2031": true, "beside the kitchen": true, "no queries": true, "The modalities": true,
	} {
		if strings.Contains(string(got), text) != want {
			t.Errorf("%q is there: %t\n%s", text, !want, got)
		}
	}

	if err := Remove(path, "PACS"); err != nil {
		t.Fatal(err)
	}
	if routes, err := Load(path); len(routes) > 0 || err != nil {
		t.Errorf("%v, %v", routes, err)
	}
	if err := Add(path, full); err != nil { // where none is left
		t.Error(err)
	}
}

func TestWhatCannotBeEditedIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	anchored := "routes:\n  - &first {name: PACS, protect: OLD@10.0.0.5:104, rules: &rules [{name: a, registered: true}]}\n" +
		"  - {name: CT9, protect: CT@10.0.0.9:104, rules: *rules}\n"
	for name, c := range map[string]struct {
		text string
		edit func(path string) error
		want fault.Kind
		says string
	}{
		"taken":                {written, func(path string) error { return Add(path, full) }, fault.Conflict, "gate show PACS"},
		"bad route":            {written, func(path string) error { return Add(path, Route{Name: "X", Protect: "y"}) }, fault.Invalid, "protect:"},
		"not there":            {written, func(path string) error { return Remove(path, "NONE") }, fault.NotFound, "gate list"},
		"none to close":        {written, func(path string) error { _, err := SetClosed(path, "NONE", true); return err }, fault.NotFound, "gate list"},
		"bad file":             {written + "more: 1\n", func(path string) error { return Remove(path, "PACS") }, fault.Invalid, "more"},
		"an anchor of another": {anchored, func(path string) error { return Remove(path, "PACS") }, fault.Unsupported, "edit it by hand"},
	} {
		path := edited(t, c.text)
		err := c.edit(path)
		if fault.Of(err) != c.want || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s with %q", name, err, c.want, c.says)
		}
		holds(t, path, c.text)
	}
}

func TestTwoCommandsDoNotLoseEachOthersChange(t *testing.T) {
	t.Parallel()
	path := edited(t, written)
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := durable.Lock(d); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path, "PACS"); fault.Of(err) != fault.Busy {
		t.Errorf("got %v", err)
	}
	holds(t, path, written)
}

func TestALinkIsFollowed(t *testing.T) {
	t.Parallel()
	target := edited(t, written)
	path := filepath.Join(t.TempDir(), File)
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path, "CT9"); err != nil {
		t.Fatal(err)
	}
	if routes, err := Load(target); len(routes) != 1 || err != nil {
		t.Errorf("%v, %v", routes, err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
		t.Error("the link is gone")
	}
}
