package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/config"
)

func TestATimeWithoutAUnitIsRefusedWithWhatIsExpected(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"signin:\n  idle: 3\n":                    `signin.idle: "3" on line 2 is not a time`,
		"signin: {oidc: {leeway: 2 minutes}}":     `signin.oidc.leeway: "2 minutes"`,
		"limits:\n  idle: 10\nledger: {every: 1}": `limits.idle: "10"`,
		"audit:\n  wait: 0s\n":                    "",
		"signin:\n  idle: 45m\n":                  "",
	} {
		path := filepath.Join(t.TempDir(), config.File)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(path, "")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "such as 30m")) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
