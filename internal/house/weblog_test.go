package house_test

import (
	"net/http"
	"strings"
	"testing"

	"collimator/internal/house/sitetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

func TestTheLogSaysWhyAStoreRequestWasRefused(t *testing.T) {
	t.Parallel()
	w := sitetest.NewWeb(t)
	_, secret := w.Token(policy.Role(identity.Administrator), policy.Verbs())
	body := "--b\r\n\r\nZZPHI is no Part 10 file\r\n--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--b--"
	status, _ := w.Do(http.MethodPost, "/dicom-web/studies", secret, strings.NewReader(body), "multipart/related; type=application/dicom; boundary=b")
	if status != http.StatusConflict {
		t.Fatalf("status %d", status)
	}
	if got := w.Log.String(); strings.Count(got, "instance not stored") != 2 || strings.Count(got, "C000H") != 2 {
		t.Errorf("the log says: %s", got)
	}
}
