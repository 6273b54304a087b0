package inventory

import "testing"

// Programs of the same machine share an address and are told apart by their title.
func TestCallersOfThisMachineAreKnownByTheirTitle(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := func(title string) Observation {
		return Observation{Source: Door, Addresses: addrs("127.0.0.1"), AETitles: []string{title}, Record: "door:" + title}
	}
	a, again, b := f.observe(t, o("WS1")), f.observe(t, o("WS1")), f.observe(t, o("WS2"))
	if a != again || a == b {
		t.Errorf("%s %s %s", a, again, b)
	}
}
