package guard

import (
	"fmt"
	"testing"
	"time"

	"collimator/internal/house/housetest"
)

func TestSamplerWritesTheFirstOfAFloodAndCountsTheRest(t *testing.T) {
	t.Parallel()
	c := housetest.ClockAt(time.Unix(0, 0))
	s := newSampler(c.Now)
	for i := range sampleBurst {
		if before, write := s.take("a"); !write || before != 0 {
			t.Fatalf("record %d: before %d, write %v", i, before, write)
		}
	}
	for range 7 {
		if _, write := s.take("a"); write {
			t.Fatal("more than the burst was written")
		}
	}
	if _, write := s.take("b"); !write {
		t.Error("another key is held back")
	}
	c.Advance(sampleWindow)
	if before, write := s.take("a"); !write || before != 7 {
		t.Errorf("after the window: before %d, write %v", before, write)
	}
	if before, _ := s.take("a"); before != 0 {
		t.Errorf("the same %d were counted twice", before)
	}
}

func TestSamplerIsBounded(t *testing.T) {
	t.Parallel()
	c := housetest.ClockAt(time.Unix(0, 0))
	s := newSampler(c.Now)
	written := 0
	for i := range 3 * sampleKeys {
		if _, write := s.take(fmt.Sprint(i)); write {
			written++
		}
	}
	if len(s.seen) > sampleKeys+1 {
		t.Errorf("%d keys are kept", len(s.seen))
	}
	if written != sampleMost {
		t.Errorf("%d records, want %d", written, sampleMost)
	}
	c.Advance(sampleWindow)
	if _, write := s.take("new"); !write || len(s.seen) > sampleKeys+1 {
		t.Errorf("after the window a new key is held back; %d keys", len(s.seen))
	}
}

func TestSamplerLosesNoCountOfKeysItForgets(t *testing.T) {
	t.Parallel()
	c := housetest.ClockAt(time.Unix(0, 0))
	s := newSampler(c.Now)
	taken, told := 0, 0
	flood := func() {
		for i := range sampleKeys {
			for range 2 {
				taken++
				if before, write := s.take(fmt.Sprint(taken, i)); write {
					told += 1 + before
				}
			}
		}
	}
	flood()
	c.Advance(sampleWindow)
	flood()
	held := s.all.dropped
	for _, e := range s.seen {
		held += e.dropped
	}
	if told+held != taken {
		t.Errorf("of %d refusals %d were told and %d are counted", taken, told, held)
	}
}
