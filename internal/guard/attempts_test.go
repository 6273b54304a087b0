package guard

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"collimator/dicomweb"
	"collimator/dimse/ul"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

func TestStrangersTakeNoRoomFromTheLockOutOfDevices(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.person("anna", policy.Administrator)
	for i := range lockout.Keys + 100 {
		one, _ := d.attempts.origins.Take(t.Context(), fmt.Sprintf("10.%d.%d.1", i/250, i%250))
		one.Failed()
	}
	cert := d.device("CT1", nil)
	judged := atomic.Int64{}
	try := func(cert *x509.Certificate, passcode string) bool {
		_, err := d.admit(withIdentity(request("CT1", cert), ul.IdentityUsernamePasscode, "anna", passcode))
		return err == nil
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if try(cert, "guess") {
				judged.Add(1)
			}
		})
	}
	all.Wait()
	if try(cert, "correct horse battery") {
		t.Error("after eight guesses at once the right passcode is taken")
	}
	judgedOf := 0
	for range 40 {
		call := asked(t, "Authorization", "Bearer clmt_guess")
		call.Request.RemoteAddr = "192.0.2.77:1"
		out := d.InterceptWeb(t.Context(), call, nil)
		if e, ok := errors.AsType[*dicomweb.Error](out.Err); ok && e.Status == http.StatusUnauthorized {
			judgedOf++
		}
	}
	if judgedOf != lockout.Free+1 {
		t.Errorf("%d were judged of an address that came when the table was full", judgedOf)
	}
}
