package identity

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"collimator/internal/fault"
)

// saying is a provider that says one thing.
type saying struct {
	asked int
	err   error
}

// RoundTrip implements http.RoundTripper.
func (s *saying) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	const doc = `{"issuer":"https://id.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/k"}`
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(doc)), Request: r}, nil
}

func TestTheProvidersAddressesAreAskedForHourlyAndOldOnesGoOn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *Registry) {
		provider := &saying{}
		var health []bool
		o, err := NewOIDC(r, OIDCOptions{
			Issuer: "https://id.example", ClientID: "c", NameClaim: "name", Transport: provider,
			Health: func(err error) { health = append(health, err == nil) },
		})
		if err != nil {
			t.Fatal(err)
		}
		begin := func(want int) {
			t.Helper()
			if _, _, _, err := o.Begin(t.Context(), "https://a.example/"); err != nil || provider.asked != want {
				t.Errorf("asked %d times, want %d: %v", provider.asked, want, err)
			}
		}
		provider.err = errors.New("down")
		if _, _, _, err := o.Begin(t.Context(), ""); fault.Of(err) != fault.Unavailable || !strings.Contains(err.Error(), "down") || strings.Contains(fault.Text(err), "down") {
			t.Errorf("down: %v", err)
		}
		provider.err, provider.asked = nil, 0
		begin(1)
		begin(1)
		time.Sleep(time.Hour)
		begin(2)
		time.Sleep(time.Hour)
		provider.err = errors.New("down")
		begin(3)
		begin(3) // not at each sign-in
		time.Sleep(time.Minute)
		begin(4)
		provider.err = nil
		if err := o.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if want := []bool{false, true, true, false, false, true}; len(health) != len(want) || health[0] || !health[1] || health[3] || !health[5] {
			t.Errorf("health: %v, want %v", health, want)
		}
	})
}
