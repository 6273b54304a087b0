//go:build interop

package interop_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/interop/harness"
)

// readable is a server with a device that sends and rita, a radiologist who has only her password yet.
type readable struct {
	*harness.Server
	keys   string // directory of the device's files
	origin string
}

// startReadable starts one.
func startReadable(t *testing.T) readable {
	t.Helper()
	s := harness.Start(t)
	keys := s.Device("CT1", harness.All...)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(facePassword), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Must("init", "--data", s.Data, "--admin", "ada", "--password-file", password)
	s.Must("user", "add", "rita", "--role", "radiologist", "--password-file", password, "--data", s.Data)
	_, port, _ := strings.Cut(s.HTTP, ":")
	return readable{s, keys, "https://localhost:" + port}
}
