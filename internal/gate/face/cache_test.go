package face

import (
	"fmt"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/scratch"
)

// filed is a series of which one instance came, and nobody holds.
func filed(t *testing.T, c *cache, name string) *kept {
	t.Helper()
	s := c.hold(seriesKey{series: name})
	defer c.release(s)
	f, err := scratch.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.file = f
	k := &kept{instance: "1.2", in: s, file: f, size: 16, syntax: uid.ExplicitVRLittleEndian}
	if err := (&pen{c: c, s: s}).keep(k); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhatGaveWayWhileItWasReadIsAnError(t *testing.T) {
	t.Parallel()
	c := newCache(t.TempDir(), nil, time.Now)
	defer c.shut()
	k := filed(t, c, "1")
	r := c.open(k)
	r.Close()
	c.mu.Lock()
	c.evict() // for others, after the request of who reads has ended
	c.mu.Unlock()

	if _, err := k.header(nil); err == nil {
		t.Error("a header of what is gone")
	}
	late := c.open(k)
	if _, err := late.ReadAt(make([]byte, 4), 0); err == nil {
		t.Error("bytes of what is gone")
	}
	late.Close()
	if c.bytes != 0 || c.entries != 0 {
		t.Errorf("%d bytes, %d entries are left", c.bytes, c.entries)
	}
}

func TestASeriesOfWhichNothingCameIsNotKept(t *testing.T) {
	t.Parallel()
	c := newCache(t.TempDir(), nil, time.Now)
	defer c.shut()
	for i := range 3 {
		s := c.hold(seriesKey{series: fmt.Sprint(i)})
		if err := c.list(s, "P1", make([]listed, instancesMost)); err != nil {
			t.Fatal(err)
		}
		c.release(s)
	}
	if len(c.by) != 0 || c.entries != 0 {
		t.Errorf("%d series, %d entries", len(c.by), c.entries)
	}
}

func TestListsCountAgainstWhatIsKeptInMemory(t *testing.T) {
	t.Parallel()
	c := newCache(t.TempDir(), nil, time.Now)
	defer c.shut()
	const fit = entriesMost / instancesMost
	for i := range 3 * fit {
		k := filed(t, c, fmt.Sprint(i))
		c.again(k.in)
		if err := c.list(k.in, "", make([]listed, instancesMost)); err != nil {
			t.Fatal(err)
		}
		c.release(k.in)
	}
	if len(c.by) > fit || c.entries > entriesMost {
		t.Errorf("%d series, %d entries", len(c.by), c.entries)
	}
}
