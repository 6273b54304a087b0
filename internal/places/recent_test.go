package places

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestOfKnownKeysTheOneUsedLongestAgoGivesWay(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	r := NewRecent[string](100, time.Hour)
	r.Use("device", now)
	for i := range 10_000 {
		now = now.Add(time.Millisecond)
		r.Use(fmt.Sprint(i), now)
		if i%50 == 0 { // it comes now and then
			r.Use("device", now)
		}
	}
	if r.Len() != 100 || !r.Has("device", now) || !r.Has("9999", now) || r.Has("9899", now) {
		t.Errorf("%d keys; the one in use: %v", r.Len(), r.Has("device", now))
	}
	if r.Has("device", now.Add(time.Hour)) {
		t.Error("a key is remembered for ever")
	}
}

// TestStrangersNeverBecomeKnown: neither who asks for something without being let
// in, nor who was handed a link.
func TestStrangersNeverBecomeKnown(t *testing.T) {
	t.Parallel()
	d := open(t, small())
	d.Remember(netip.MustParseAddr("127.0.0.9"))
	_, stranger := d.dial("127.0.0.2")
	stranger.(*Conn).room.speaks(stranger.(*Conn))
	_, guest := d.dial("127.0.0.3")
	if !d.AdmitGuest(guest.RemoteAddr().String()) {
		t.Fatal("not let in")
	}
	_, device := d.dial("127.0.0.4")
	if !d.Admit(device.RemoteAddr()) {
		t.Fatal("not admitted")
	}
	for address, want := range map[string]bool{"127.0.0.2": false, "127.0.0.3": false, "127.0.0.4": true, "127.0.0.9": true} {
		if got := d.known.Has(netip.MustParseAddr(address), time.Now()); got != want {
			t.Errorf("%s is known: %v", address, got)
		}
	}
	_, again := d.dial("127.0.0.3")
	if u := d.Usage(); u.Known != 0 {
		t.Errorf("%+v with %v", u, []net.Addr{again.RemoteAddr()})
	}
}
