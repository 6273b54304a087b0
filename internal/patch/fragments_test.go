package patch

import "testing"

// An object may have as many empty fragments as it has room for.
func TestEmptyFragmentsAreNotRemembered(t *testing.T) {
	t.Parallel()
	p := &pam{}
	for range 1000 {
		p.begin()
		p.next(nil)
		p.begin()
		p.next([]byte("P"))
	}
	if len(p.heads) > len(pamBegins) {
		t.Errorf("%d beginnings are remembered", len(p.heads))
	}
	p.begin()
	p.next([]byte("P"))
	p.begin()
	p.begin()
	if p.next([]byte("7\n")) == "" {
		t.Error("a picture whose beginning is parted by an empty fragment is not found")
	}
}
