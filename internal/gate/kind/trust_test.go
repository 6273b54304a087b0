package kind_test

import (
	"strings"
	"testing"

	"collimator/internal/gate/kind"
)

func TestAFingerprintIsReadInEachSpellingAndNothingElseIs(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0aF", 21) + "9"
	pin := strings.ToLower(hash)
	for name, c := range map[string]struct{ text, pin string }{
		"as tlsprofile writes it": {kind.FingerprintPrefix + pin, pin},
		"in capitals":             {"SHA256:" + strings.ToUpper(hash), pin},
		"with colons":             {kind.FingerprintPrefix + hash[:2] + ":" + hash[2:], pin},
		"without the prefix":      {hash, ""},
		"of another hash":         {"sha1:" + hash, ""},
		"too short":               {kind.FingerprintPrefix + hash[1:], ""},
		"not in hex":              {kind.FingerprintPrefix + "g" + hash[1:], ""},
	} {
		trust := kind.Trust{Fingerprint: c.text}
		if got, err := trust.Pin(), trust.Check(); got != c.pin || (err == nil) != (c.pin != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if err := (kind.Trust{}).Check(); err != nil || (kind.Trust{}).Set() {
		t.Errorf("nothing is said: %v", err)
	}
}
