package house_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"collimator/internal/alarm"
	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/state"
)

// Everything that is called by HTTPS goes through the proxy of the settings.
func TestOthersAreCalledThroughTheProxyOfTheSettings(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.Host)
		mu.Unlock()
		http.Error(w, "not today", http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret of more than sixteen bytes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := sitetest.Filled(t)
	in.Config.Outward.Proxy = proxy.URL
	in.Config.Alarms.Webhook = config.Webhook{URL: "https://hook.example.org/in", SecretFile: secret}
	in.Config.SignIn.OIDC = config.OIDC{Issuer: "https://id.example.org", ClientID: "collimator"}

	hook, err := house.WebhookChannel(in.Config)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := house.IdentityProvider(in, in.Config.SignIn.OIDC, state.New(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	if hook.Send(t.Context(), alarm.Message{}) == nil || provider.Check(t.Context()) == nil {
		t.Error("the proxy refused, and nobody says so")
	}
	taken, err := in.TakeAdvisories(t.Context(), "https://csaf.example.org/a.json", "", "", false)
	if err == nil && len(taken.Refused) == 0 {
		t.Error("advisories came although the proxy refused")
	}

	mu.Lock()
	defer mu.Unlock()
	for _, host := range []string{"hook", "id", "csaf"} {
		if !slices.Contains(asked, "CONNECT "+host+".example.org:443") {
			t.Errorf("%s was not called through the proxy: %q", host, asked)
		}
	}
}
