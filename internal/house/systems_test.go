package house

import (
	"testing"

	"collimator/internal/audit"
	"collimator/internal/inventory"
)

func TestWhatPeopleDecideAboutSystemsIsRecorded(t *testing.T) {
	t.Parallel()
	in := made(t)
	ctx := t.Context()
	a, isNew, err := in.NoteSystem(ctx, inventory.Observation{Name: "first", MACs: []string{"00:11:22:33:44:01"}})
	if err != nil || !isNew {
		t.Fatal(isNew, err)
	}
	b, _, err := in.NoteSystem(ctx, inventory.Observation{Name: "second", MACs: []string{"00:11:22:33:44:02"}})
	if err != nil {
		t.Fatal(err)
	}
	if again, isNew, err := in.NoteSystem(ctx, inventory.Observation{Name: "first", MACs: []string{"00:11:22:33:44:01"}}); err != nil || isNew || again != a {
		t.Errorf("the same system is %s and new: %t, %v", again, isNew, err)
	}

	answers, err := inventory.Replies{Gate: "yes", Who: "ada"}.Statements()
	if err != nil {
		t.Fatal(err)
	}
	if err := in.AnswerWarning(ctx, a, answers); err != nil {
		t.Error(err)
	}
	if err := in.MergeSystems(ctx, a, b); err != nil {
		t.Error(err)
	}
	if err := in.RemoveSystem(ctx, a); err != nil {
		t.Error(err)
	}
	if got := recorded(t, in, audit.InventoryChanged); len(got) != 6 {
		t.Errorf("%d records, want 6", len(got))
	}
}
