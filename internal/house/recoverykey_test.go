package house_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/config"
	"collimator/internal/house/sitetest"
	"collimator/internal/recovery"
)

// The recovery key is shown once to the person at the terminal and stands nowhere
// else: not in what a log keeps, not in the trail, not in any file of the data directory.
func TestTheRecoveryKeyIsShownOnceAndKeptNowhere(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := sitetest.Open(t, c)
	var shown bytes.Buffer

	// What is no terminal may be a log, and gets no key.
	if err := in.OfferRecoveryKey(t.Context(), &shown); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(shown.String(), secretMark) || !strings.Contains(shown.String(), "recovery-key --data") {
		t.Errorf("where a log may be is written: %s", strings.ReplaceAll(shown.String(), secretMark, "the key"))
	}

	shown.Reset()
	if err := in.ShowFirstRecoveryKey(t.Context(), &shown); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(shown.String(), secretMark); n != 1 {
		t.Fatalf("shown %d times", n)
	}
	if key, err := recovery.Parse(shownKey(shown.String())); err != nil || key == nil {
		t.Errorf("what is shown is no key: %v", err)
	}
	shown.Reset()
	if err := in.OfferRecoveryKey(t.Context(), &shown); err != nil {
		t.Error(err)
	}
	again, err := in.RecoveryKeyText()
	if err != nil {
		t.Error(err)
	}
	in.Close()
	if strings.Contains(shown.String()+again, secretMark) {
		t.Error("the key is shown again")
	}
	holdsNoKey(t, c.Data)
}

const secretMark = "AGE-SECRET-KEY-"

// shownKey is the line of a text that holds a recovery key.
func shownKey(text string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, secretMark) {
			return line
		}
	}

	return ""
}

// holdsNoKey looks into every file of a data directory.
func holdsNoKey(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if bytes.Contains(bytes.ToUpper(b), []byte(secretMark)) {
			t.Errorf("%s holds the recovery key", d.Name())
		}
		return err
	})
	if err != nil || files == 0 {
		t.Error(files, err)
	}
}
