package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestTheOutermostEndingOfAnErrorCounts(t *testing.T) {
	t.Parallel()
	wrong := Usage("--out: %w", fs.ErrExist)
	if wrong.Error() != "--out: file already exists" || !errors.Is(wrong, fs.ErrExist) {
		t.Errorf("%v hides its cause", wrong)
	}

	for want, err := range map[Ending]error{
		Misused: fmt.Errorf("export: %w", wrong),
		Partly:  Ended(Partly, fmt.Errorf("the second file: %w", wrong)),
		Refused: errors.Join(errors.New("close"), Ended(Refused, errors.New("no"))),
		Failed:  New(Invalid, "nobody named an ending"),
	} {
		if got := EndingOf(err); got != want {
			t.Errorf("%v ends as %d, want %d", err, got, want)
		}
	}
	if EndingOf(nil) != Failed || Ended(Found, nil) != nil {
		t.Error("no error has an ending")
	}
}
