package house_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
)

func TestEmptyProjectKeyIsMadeAnewWithAWarning(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	in := sitetest.Open(t, c)
	defer in.Close()
	path := filepath.Join(c.Data, house.KeysDir, house.DeidentifyKey)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if _, err := house.OpenProjects(in, nil, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatalf("the archive does not start: %v", err)
	}
	if !strings.Contains(log.String(), "WARN") {
		t.Errorf("nobody is told: %q", log.String())
	}
	if _, err := house.ReadProjectKey(path); err != nil {
		t.Error(err)
	}
}

func TestTornProjectKeyIsNamedAndKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	for content, want := range map[string]string{"": "remove it", "ab12": "restore it from a backup"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := house.ReadProjectKey(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want that it says %q", content, err, want)
		}
		if _, err := house.NewProjectKey(path); err == nil {
			t.Errorf("%q: a key that is there was replaced", content)
		}
	}
}

func TestFullDiskLeavesNoHalfProjectKey(t *testing.T) {
	t.Parallel()
	// A directory that is not there stands for every failure before the name is given.
	path := filepath.Join(t.TempDir(), "gone", "key")
	if _, err := house.NewProjectKey(path); err == nil {
		t.Fatal("a key was made in no directory")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was left")
	}
}

func TestOpeningRemovesKeysThatWereBegunAndNotEnded(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	left := filepath.Join(c.Data, house.KeysDir, ".new-1")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	in := sitetest.Open(t, c)
	defer in.Close()
	if _, err := os.Stat(left); err == nil {
		t.Error("the rest of a key is still there")
	}
}
