package phi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"collimator/internal/phi"
)

const marker = "ZZPHI^MARKER"

func TestTextWithholdsItsContentFromEveryPrinter(t *testing.T) {
	t.Parallel()
	secret := phi.New(marker)
	hidden := struct {
		inner phi.Text
		Deep  []phi.Text
	}{secret, []phi.Text{secret}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, secret)
		fmt.Fprintf(&out, verb, &secret)
		fmt.Fprintf(&out, verb, hidden)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "text", secret, "hidden", hidden)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "text", secret, "hidden", hidden)
	b, err := json.Marshal(map[string]any{"text": secret, "list": hidden.Deep})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	for _, leak := range []string{marker, "ZZPHI", "5a5a504849"} {
		if strings.Contains(strings.ToUpper(out.String()), strings.ToUpper(leak)) {
			t.Errorf("printed output holds the content (looked for %d bytes)", len(leak))
		}
	}
	if secret.Reveal() != marker {
		t.Error("Reveal does not give the content back")
	}
}

func TestPseudonymDependsOnKeyDomainAndValue(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, key := range []string{"a", "b"} {
		for _, domain := range []string{"patient", "study", "pat"} {
			for _, value := range []string{"1", "2", "ient1"} {
				p := phi.Pseudonym([]byte(key), domain, value)
				if seen[p] || p != phi.Pseudonym([]byte(key), domain, value) {
					t.Errorf("pseudonym is not a function of key, domain and value alone")
				}
				seen[p] = true
			}
		}
	}
}
