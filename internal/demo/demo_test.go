package demo

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheHospitalRunsWithAStandInAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("PATH", dir) // Orthanc is not there
	var out, log bytes.Buffer
	err := Run(t.Context(), Options{
		For: 8 * time.Second, Out: &out, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo})), Pause: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}

	for _, want := range []string{"a stand-in of this program", "/setup/open#", " 10. ", "Nothing of it is left"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	for _, m := range modalities {
		for _, to := range []string{"COLLIMATOR", route} {
			if !strings.Contains(log.String(), "sent a study\" device="+m.title+" to="+to) {
				t.Errorf("%s sent nothing to %s:\n%s", m.title, to, log.String())
			}
		}
	}
	for _, wrong := range []string{"did not send", "was let in", "did not begin", "does not call", "panic"} {
		if strings.Contains(log.String(), wrong) {
			t.Errorf("%s:\n%s", wrong, log.String())
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDurationsAreSaidInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 30 * time.Second: "30 seconds", 2 * time.Hour: "2 hours"} {
		if got := inWords(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
