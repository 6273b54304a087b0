package completion

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestEveryShellIsToldOfEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	var line struct {
		Scan struct {
			Own string `help:"It's $yours."`
		} `cmd:"" help:"Look."`
		Gate struct {
			Show struct {
				Name string `arg:"" completes:"gate list -o names"`
			} `cmd:""`
		} `cmd:""`
	}
	parser, err := kong.New(&line, kong.Name("collimator"))
	if err != nil {
		t.Fatal(err)
	}

	for shell, want := range map[string][]string{
		"bash": {`"") words="scan gate --help"`, `"gate show") words="--help" names="gate list -o names" ;;`, `"scan") words="--help --own"`, "complete -o filenames -F _collimator collimator"},
		"zsh":  {"autoload -U +X bashcompinit && bashcompinit", `"scan") words="--help --own"`},
		"fish": {"-n '__fish_seen_subcommand_from gate; and __fish_seen_subcommand_from show' -f -a '(collimator gate list -o names 2>/dev/null)'", "-a scan -d 'Look.'", `-l own -d 'It\'s $yours.'`},
	} {
		var out bytes.Buffer
		if err := Write(&out, shell, parser.Model.Node); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: %q is missing in:\n%s", shell, text, &out)
			}
		}
	}
}
