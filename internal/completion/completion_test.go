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
	}
	parser, err := kong.New(&line, kong.Name("collimator"))
	if err != nil {
		t.Fatal(err)
	}

	for shell, want := range map[string][]string{
		"bash": {`"") words="scan --help"`, `"scan") words="--help --own"`, "complete -o filenames -F _collimator collimator"},
		"zsh":  {"autoload -U +X bashcompinit && bashcompinit", `"scan") words="--help --own"`},
		"fish": {"-a scan -d 'Look.'", `-l own -d 'It\'s $yours.'`},
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
