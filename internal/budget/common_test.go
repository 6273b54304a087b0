package budget_test

import (
	"testing"

	"collimator/internal/budget"
	"collimator/internal/fault"
)

// What is done for all, one at a time, takes what is free whoever it is for; it
// counts all the same.
func TestWhatIsInNobodysNameIsBoundedByTheTotalAlone(t *testing.T) {
	t.Parallel()
	b := budget.New(160 * mib)
	other := b.Open("other")
	if err := other.Grow(60 * mib); err != nil {
		t.Fatal(err)
	}
	request := b.Open("somebody")
	if err := request.Grow(mib); err != nil {
		t.Fatal(err)
	}
	common := request.Common()
	if err := common.Grow(64 * mib); err != nil {
		t.Errorf("a password: %v", err)
	}
	if err := request.Piece().Grow(40 * mib); fault.Of(err) != fault.Busy && fault.Of(err) != fault.TooLarge {
		t.Errorf("more than is left: %v", err)
	}
	if err := b.Open().Grow(161 * mib); fault.Of(err) != fault.TooLarge {
		t.Errorf("more than there is: %v", err)
	}
	common.Close()
	if u := b.Usage(); u.Held != 61*mib {
		t.Errorf("%+v", u)
	}
}
