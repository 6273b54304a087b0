package reverse

import "testing"

// Each change of another route hands over all of them anew.
func TestARouteThatIsAsItWasKeepsItsListener(t *testing.T) {
	t.Parallel()
	x := newRig(t, nil, func(b *Block) { b.At += "/" })
	before := x.site("PACS")
	x.Take([]Route{x.route})
	if x.site("PACS") != before {
		t.Error("whoever was signed in has to sign in again")
	}
}
