package verify

import "testing"

func TestASampleOfAFewFilesReadsAtLeastOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files int64
		share float64
		want  int
	}{{4, 0.05, 1}, {1, 0.01, 1}, {100, 0.05, 5}, {1000, 0.333, 333}, {0, 0.5, 0}} {
		pick, n := sampled(c.files, c.share), 0
		for range c.files {
			if pick() {
				n++
			}
		}
		if n != c.want {
			t.Errorf("of %d files %d are read, want %d", c.files, n, c.want)
		}
	}
}
