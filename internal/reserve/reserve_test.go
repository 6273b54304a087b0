package reserve

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"collimator/internal/fault"
	"collimator/internal/state"
)

// disk is a file system of which the test says how full it is. What the reserve
// takes is taken from it.
type disk struct {
	*Reserve
	others, total int64
	states        *state.Register
}

func newDisk(t *testing.T, total int64) *disk {
	t.Helper()
	states := state.New(time.Now)
	d := &disk{Reserve: New(t.TempDir(), states, slog.New(slog.NewTextHandler(io.Discard, nil))), total: total, states: states}
	d.space = func(dir string) (int64, int64, error) {
		own := int64(0)
		if info, err := os.Stat(filepath.Join(dir, Name)); err == nil {
			own = info.Size()
		}
		return max(0, d.total-d.others-own), d.total, nil
	}
	return d
}

func (d *disk) level() state.Level { return d.states.All()[0].Level }

func TestImagesAreRefusedBeforeTheDiskIsFull(t *testing.T) {
	t.Parallel()
	const total = 100 << 20
	d := newDisk(t, total)
	d.look()
	if !d.there() || d.Room() != nil || d.level() != state.Well {
		t.Fatalf("an empty disk: reserve %t, room %v, %s", d.there(), d.Room(), d.level())
	}

	d.others = total * 89 / 100
	d.look()
	if d.Room() != nil || d.level() != state.Degraded {
		t.Errorf("9 %% are free: room %v, %s", d.Room(), d.level())
	}
	d.others = total * 94 / 100
	d.look()
	if fault.Of(d.Room()) != fault.Unavailable || d.level() != state.Failing || !d.there() {
		t.Errorf("4 %% are free: room %v, %s, reserve %t", d.Room(), d.level(), d.there())
	}
}

func TestTheReserveIsGivenUpWhenOthersFillTheDiskAndMadeAgainWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	const total = 100 << 20
	d := newDisk(t, total)
	d.look()
	own := held(total)

	d.others = total - own
	d.look()
	if d.there() {
		t.Fatal("a full disk, and the reserve is kept")
	}
	if free, _, _ := d.space(d.dir); free != own {
		t.Errorf("%d bytes are free", free)
	}
	d.look()
	if d.there() {
		t.Error("the reserve was taken again while there is no room")
	}
	d.others = 0
	d.look()
	if !d.there() || d.level() != state.Well {
		t.Errorf("with room: reserve %t, %s", d.there(), d.level())
	}
}

func TestTheReserveOfALargeDiskIsBounded(t *testing.T) {
	t.Parallel()
	if kept(100<<40) != keptMost || held(100<<40) != heldMost {
		t.Error("a large disk has a large reserve")
	}
}

func TestReleaseOfNothingIsNoError(t *testing.T) {
	t.Parallel()
	if err := Release(t.TempDir()); err != nil {
		t.Error(err)
	}
}
