package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

// Who changes the password at the system behind need not know by heart as whom the gate comes.
func TestAnotherPasswordOfPagesIsForTheNameThatIsKept(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = t.TempDir()
	in := sitetest.Open(t, c)
	t.Cleanup(func() { in.Close() })
	origin := "http://127.0.0.1:1"
	text := "routes:\n  - {name: PACS, protect: OLD@127.0.0.1:104, web: {to: 'http://127.0.0.1:1', at: 'https://pacs.example:8444'}, rules: [{name: all, registered: true}]}\n"
	if err := os.WriteFile(house.RoutesFile(c), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set := func(password string, flags ...string) (string, int) {
		var out, errs bytes.Buffer
		args := append([]string{"gate", "password", "--data", c.Data}, flags...)
		code := run(args, &env{stdin: strings.NewReader(password), stdout: &out, stderr: &errs, ctx: t.Context()})
		return out.String() + errs.String(), code
	}
	kept := func(step, name, password string) {
		t.Helper()
		if n, p, err := in.PagePassword("PACS", origin); n != name || p != password || err != nil {
			t.Errorf("%s: %q, %q, %v", step, n, p, err)
		}
	}

	if out, code := set("zz one\n", "PACS"); code != 2 || !strings.Contains(out, "say --user NAME") {
		t.Errorf("nobody is kept: %d %s", code, out)
	}
	kept("nobody", "", "")
	if out, code := set("zz one\n", "PACS", "--user", "gate"); code != 0 {
		t.Errorf("the first: %d %s", code, out)
	}
	kept("the first", "gate", "zz one")
	if out, code := set("zz two\n", "PACS"); code != 0 {
		t.Errorf("another: %d %s", code, out)
	}
	kept("another", "gate", "zz two")

	// They moved: the name counts there, too, and the password is the one that is asked for.
	text, origin = strings.ReplaceAll(text, "127.0.0.1:1'", "127.0.0.1:2'"), "http://127.0.0.1:2"
	if err := os.WriteFile(house.RoutesFile(c), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := set("zz moved\n", "PACS"); code != 0 {
		t.Errorf("elsewhere: %d %s", code, out)
	}
	kept("elsewhere", "gate", "zz moved")
	if out, code := set("zz three\n", "NONE"); code == 0 || !strings.Contains(out, "NONE") {
		t.Errorf("no such route: %d %s", code, out)
	}
	if out, code := set("", "PACS", "--remove"); code != 0 {
		t.Errorf("taken away: %d %s", code, out)
	}
	kept("taken away", "", "")
}
