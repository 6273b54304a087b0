package house

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
)

func TestAKeyOfThePublisherDemandsItsSignature(t *testing.T) {
	t.Parallel()
	publisher, err := openpgp.NewEntity("publisher", "", "publisher@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	var key bytes.Buffer
	if err := publisher.Serialize(&key); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "publisher.pgp")
	if err := os.WriteFile(path, key.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		key  string
		want bool
	}{{path, true}, {"", false}} {
		intake, err := intakeOf(c.key, "", false)
		if err != nil || intake.RequireSignature != c.want {
			t.Errorf("key %q: signature demanded %t, %v", c.key, intake.RequireSignature, err)
		}
	}
}
