package signin

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"collimator/internal/lockout"
	"collimator/internal/policy"
)

// totpAt is the code of an authenticator app (RFC 6238).
func totpAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & 0x7FFF_FFFF
	return fmt.Sprintf("%06d", n%1_000_000)
}

// withApp registers a person with an authenticator app, and returns its secret.
func (d *desk) withApp(name string, role policy.Role) string {
	d.Helper()
	d.person(name, role)
	s, err := d.door.Registry.BeginTOTP(d.Context(), name, "test", "")
	if err != nil {
		d.Fatal(err)
	}
	if err := d.door.Registry.ConfirmTOTP(d.Context(), name, "", totpAt(d.T, s.Secret, d.clock.Now())); err != nil {
		d.Fatal(err)
	}
	d.clock.Advance(time.Minute)
	return s.Secret
}

// half is the cookie of a session that waits for the second factor.
func (d *desk) half(name string) string {
	d.Helper()
	_, secret, err := d.door.Sessions.Start(d.Context(), name, "password", "192.0.2.1", false, "")
	if err != nil {
		d.Fatal(err)
	}
	return secret
}

func TestOfManyCodesAtOnceSixAreJudged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	secret := d.withApp("ada", policy.Administrator)
	a, cookie := d.NewAPI(), d.half("ada")
	right := totpAt(t, secret, d.clock.Now())
	var judged, waited atomic.Int64
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range 300 {
		all.Go(func() {
			<-start
			code := fmt.Sprintf("%06d", i)
			if code == right {
				code = "999999"
			}
			switch w := d.from(a, fmt.Sprintf("192.0.2.%d", i%100), cookie, "/api/v1/session/totp", map[string]string{"code": code}); w.Code {
			case 401:
				judged.Add(1)
			case 429:
				waited.Add(1)
			default:
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
	close(start)
	all.Wait()
	if judged.Load() > lockout.Free+1 || judged.Load()+waited.Load() != 300 {
		t.Errorf("%d were judged, %d had to wait", judged.Load(), waited.Load())
	}
	if w := d.from(a, "192.0.2.200", cookie, "/api/v1/session/totp", map[string]string{"code": right}); w.Code != 429 {
		t.Errorf("the right code after that: status %d", w.Code)
	}
}

func TestARightPasswordDoesNotForgetWrongCodes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	secret := d.withApp("ada", policy.Administrator)
	a := d.NewAPI()
	judged := 0
	for i := range lockout.Free + 3 {
		ip := fmt.Sprintf("192.0.2.%d", i)
		if w := d.from(a, ip, "", "/api/v1/session/password", map[string]string{"name": "ada", "password": "correct horse battery"}); w.Code != 200 {
			t.Fatalf("the password: status %d", w.Code)
		}
		if w := d.from(a, ip, d.half("ada"), "/api/v1/session/totp", map[string]string{"code": "000000"}); w.Code == 401 {
			judged++
		}
	}
	if judged != lockout.Free+1 {
		t.Errorf("%d codes were judged", judged)
	}
	d.clock.Advance(lockout.First)
	if w := d.from(a, "192.0.2.99", d.half("ada"), "/api/v1/session/totp", map[string]string{"code": totpAt(t, secret, d.clock.Now())}); w.Code != 200 {
		t.Errorf("the right one after the wait: status %d", w.Code)
	}
}

func TestOneNetworkOfIPv6IsOneOriginToTheLockOut(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	a := d.NewAPI()
	judged := 0
	for i := range 24 {
		w := d.from(a, fmt.Sprintf("2001:db8:0:1::%x", i+1), "", "/api/v1/setup/look", map[string]string{"link": "guess"})
		if w.Code == 403 {
			judged++
		}
	}
	if judged != lockout.Free+1 {
		t.Errorf("%d were judged of one network", judged)
	}
	if w := d.from(a, "2001:db8:0:2::1", "", "/api/v1/setup/look", map[string]string{"link": "guess"}); w.Code != 403 {
		t.Errorf("another network has to wait: status %d", w.Code)
	}
}
