package ledger_test

import (
	"path/filepath"
	"testing"

	"collimator/internal/db/dbtest"
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

func TestAfterTwoRotationsTheLogAndEveryOldCheckpointVerify(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	d, err := dbtest.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	opened := func() (*ledger.Log, *ledger.Key) {
		key, err := ledger.OpenKey(keys, "test.example/log")
		if err != nil {
			t.Fatal(err)
		}
		return ledger.New(d, key), key
	}

	l, first := opened()
	var old []string
	for i := range 3 {
		appendTo(t, l, d, 10*i, 10)
		signed, err := l.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old = append(old, signed)
		if i == 2 {
			break
		}
		if _, err := l.RotateKey(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		between, _ := l.Checkpoint(t.Context())
		old = append(old, between)
		l, _ = opened()
	}

	l, now := opened()
	if list := problems(t, l); len(list) != 0 {
		t.Errorf("%v", list)
	}
	if len(now.Former) != 2 || now.Former[1] != first.Public || now.Public == first.Public {
		t.Errorf("former keys: %v", now.Former)
	}
	for i, signed := range old {
		if _, err := l.Consistency(t.Context(), signed); err != nil {
			t.Errorf("checkpoint %d: %v", i, err)
		}
	}
}

// TestAStolenKeyThatWasRotatedSignsNothingMore: who has the key from before goes
// on signing with it.
func TestAStolenKeyThatWasRotatedSignsNothingMore(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	d, err := dbtest.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	stolen, err := ledger.OpenKey(keys, "test.example/log")
	if err != nil {
		t.Fatal(err)
	}
	thief := ledger.New(d, stolen)
	appendTo(t, thief, d, 0, 5)
	if _, err := thief.RotateKey(t.Context(), keys); err != nil {
		t.Fatal(err)
	}

	appendTo(t, thief, d, 5, 5) // with the key that does not count any more
	forged, err := thief.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now, err := ledger.OpenKey(keys, "test.example/log")
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(d, now)
	if list := problems(t, l); len(list) == 0 {
		t.Error("a checkpoint of the stolen key verifies")
	}
	if _, err := l.Consistency(t.Context(), forged); fault.Of(err) != fault.Invalid {
		t.Errorf("as a checkpoint of a witness: %v", err)
	}
}
