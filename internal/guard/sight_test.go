package guard

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/internal/finding"
	"collimator/internal/house/housetest"
	"collimator/internal/inventory"
)

// sink keeps what it is told.
type sink struct {
	mu   sync.Mutex
	seen []inventory.Observation
}

func (s *sink) Observe(_ context.Context, o inventory.Observation) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, o)
	return "A1", nil
}

func (s *sink) Report(context.Context, int64, finding.Place, []string, []finding.Issue) error {
	return nil
}

func (s *sink) count(source inventory.Source) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.seen {
		if o.Source == source {
			n++
		}
	}
	return n
}

func TestTheInventoryIsToldWhoCalledAndNotHowOften(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	s := &sink{}
	d.Inventory = s
	rq := request("CT1", d.device("CT1", nil))
	for range 20 {
		if _, err := d.admit(rq); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.count(inventory.Door); n != 1 {
		t.Errorf("told %d times of one device", n)
	}
	if o := s.seen[0]; len(o.AETitles) != 1 || o.AETitles[0] != "CT1" || len(o.Addresses) != 1 {
		t.Errorf("%+v", o)
	}
	d.clock.Advance(2 * time.Hour)
	if _, err := d.admit(rq); err != nil {
		t.Fatal(err)
	}
	if n := s.count(inventory.Door); n != 2 {
		t.Errorf("told %d times in three hours", n)
	}
}

func TestStrangersCannotFloodTheInventory(t *testing.T) {
	t.Parallel()
	s := newSightings(housetest.NewClock().Now)
	told := 0
	for i := range 10_000 {
		if s.take(fmt.Sprintf("refused %d", i), true) {
			told++
		}
	}
	if told != sightStrangers || len(s.told) > sightKeys {
		t.Errorf("told of %d strangers, %d keys", told, len(s.told))
	}
	if !s.take("door CT1", false) {
		t.Error("strangers drown a device")
	}
	d := newDoor(t)
	k := &sink{}
	d.Inventory = k
	for i := range 12 {
		rq := request("NAME"+strings.Repeat("X", i), nil)
		rq.RemoteAddr = &net.TCPAddr{IP: net.ParseIP("192.0.2.66"), Port: 1000 + i}
		if _, err := d.admit(rq); err == nil {
			t.Fatal("let in")
		}
	}
	if n := k.count(inventory.Refused); n != 1 {
		t.Errorf("told %d times of one address under many names", n)
	}
}
