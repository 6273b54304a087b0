package maintenance

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"collimator/internal/tlsprofile"
)

// A code that somebody made up may lead to a server of theirs.
func TestAServerDoesNothingToTheTerminalOfItsClient(t *testing.T) {
	t.Parallel()
	const harm = `\u001b]0;x\u0007\u202e`
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"a refusal": {http.StatusForbidden, `{"detail": "no` + harm + `"}`},
		"a target":  {http.StatusOK, `{"target": "10.0.0.9:22` + harm + `"}`},
		"a zone":    {http.StatusOK, `{"target": "[fe80::1%` + harm + `]:22"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer server.Close()
			code := Code{Address: server.Listener.Addr().String(), Fingerprint: tlsprofile.Fingerprint(server.Certificate()), Secret: newSecret()}
			x, err := NewClient(code, nil).Enter(t.Context())
			if err == nil || strings.ContainsAny(err.Error(), "\x1b\x07\u202e") {
				t.Errorf("%q, %v", x.Target, err)
			}
		})
	}
}
