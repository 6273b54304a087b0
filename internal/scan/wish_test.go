package scan

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/fault"
)

func TestAWishThatMakesNoSenseIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for want, w := range map[string]Wish{
		"is a malformed AE title": {CalledAET: `BACK\SLASH`},
		"--consent 'confirmed by": {OptIn: []string{"count-matches"}},
		"needs --as-device AET":   {OptIn: []string{"as-device"}},
		"needs --credentials":     {OptIn: []string{"default-credentials"}},
		"is not known":            {OptIn: []string{"as-device,everything"}},
		"scope file":              {Scope: filepath.Join(t.TempDir(), "none.yaml")},
	} {
		if _, err := w.Options(t.Context()); fault.EndingOf(err) != fault.Misused || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

func TestAWishReadsItsFilesAndOwnsItsTargets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys, logins := filepath.Join(dir, "keys"), filepath.Join(dir, "logins.yaml")
	sum := strings.Repeat("AB", 32)
	if err := os.WriteFile(keys, []byte("# a remark\n"+sum+"  a router\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(logins, []byte("Viewer:\n  user: someone\n  password: something\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	opt, err := Wish{
		Targets: []string{"10.20.0.0/30"}, Own: []string{"targets"}, Ports: "104,11112", KnownKeys: keys,
		OptIn: []string{"default-credentials"}, Credentials: logins,
	}.Options(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if opt.KnownKeys[strings.ToLower(sum)] != "a router" || len(opt.KnownKeys) != 1 {
		t.Errorf("known keys: %v", opt.KnownKeys)
	}
	if _, ok := opt.Credentials["viewer"]; !ok {
		t.Error("the credentials are not read")
	}
	if len(opt.Ports) != 2 || len(opt.Targets) != 1 || opt.Targets[0].Prefix != netip.MustParsePrefix("10.20.0.0/30") {
		t.Errorf("ports %v, targets %v", opt.Ports, opt.Targets)
	}
	if _, err := Explain(*opt); err != nil {
		t.Errorf("its own targets are out of scope: %v", err)
	}
}
