package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"collimator/internal/config"
)

func TestSettingsAreListedWithTheLineThatSetsThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, config.File)
	if err := os.WriteFile(path, []byte("# of the clinic\nhosts: [pacs.example, 10.1.2.3]\nsignin:\n  idle: 20m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load("", dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.List()
	if err != nil {
		t.Fatal(err)
	}

	want := map[string]config.Item{
		"hosts":       {Key: "hosts", Value: "[pacs.example, 10.1.2.3]", Line: 2},
		"signin.idle": {Key: "signin.idle", Value: "20m0s", Line: 4},
		"ae":          {Key: "ae", Value: c.AE},
	}
	for _, got := range list {
		if w, ok := want[got.Key]; ok {
			delete(want, got.Key)
			if got != w {
				t.Errorf("%+v, want %+v", got, w)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}
