package bounds

import (
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

func TestWhatIsOutOfBoundsOrNoUIDIsRefused(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                      "",
		"--days 3650 --wait 1h": "",
		"--days 0":              "--days: want 1 to 3650",
		"--wait 2h":             "--wait: want 10ms to 1h",
		"--study 1.2.3":         "",
		"--study 1.2.3,one":     "--study: that is not a UID",
	} {
		var line struct {
			Days  int           `help:"How long." default:"7" bounds:"1 to 3650"`
			Wait  time.Duration `help:"For an answer." default:"1s" bounds:"10ms to 1h"`
			Study []string      `help:"Which." placeholder:"UID"`
		}
		parser, err := kong.New(&line, kong.PostBuild(Tell))
		if err != nil {
			t.Fatal(err)
		}
		ctx, err := parser.Parse(strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		err = Check(ctx)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
		for _, f := range parser.Model.Flags {
			if f.Name == "days" && f.Help != "How long; 1 to 3650." {
				t.Errorf("the help says %q", f.Help)
			}
		}
	}
}
