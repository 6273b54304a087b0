package house

import (
	"net/netip"
	"strings"
	"testing"
)

func TestARangeComesToTheScopeFileAndWhatStandsThereStays(t *testing.T) {
	t.Parallel()
	p := netip.MustParsePrefix("10.1.2.0/24")
	for name, c := range map[string]struct{ old, want string }{
		"none yet": {"", "ranges:\n  - range: 10.1.2.0/24\n    owned: true\n"},
		"others": {
			"# ours, says the hospital\nranges:\n  - range: 10.9.0.0/16 # imaging\n    owned: true\nexclude: [10.9.1.1]\n",
			"# ours, says the hospital\nranges:\n  - range: 10.9.0.0/16 # imaging\n    owned: true\n  - range: 10.1.2.0/24\n    owned: true\nexclude: [10.9.1.1]\n",
		},
		"no ranges": {"exclude: [10.9.1.1]\n", "exclude: [10.9.1.1]\nranges:\n  - range: 10.1.2.0/24\n    owned: true\n"},
	} {
		got, err := withRange([]byte(c.old), p)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	if got, err := withRange([]byte("ranges: {}\n"), p); err == nil {
		t.Errorf("a file that is none is written: %s", got)
	}
	for _, n := range ownNetworks() {
		if strings.HasPrefix(n, "127.") {
			t.Errorf("%s is no network", n)
		}
	}
}
