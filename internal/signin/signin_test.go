package signin

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"collimator/internal/fault"
	"collimator/internal/house/housetest"
	"collimator/internal/lockout"
	"collimator/internal/policy"
)

func TestNamesAreCountedInBoundedSpace(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	seen := map[string]bool{}
	for i := range 100_000 {
		seen[d.account(fmt.Sprint("name", i))] = true
	}
	if len(seen) > accountBuckets || len(seen) < accountBuckets/2 || accountBuckets >= lockout.Keys {
		t.Errorf("%d keys", len(seen))
	}
	first, again := d.account("grace"), d.account("grace")
	if first != again {
		t.Error("a name has two keys")
	}
}

func TestWhoFindsNoTurnIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	a := d.NewAPI()
	password := map[string]string{"name": "ada", "password": housetest.Password}
	end, err := d.door.Turn(t.Context(), "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	full := make(chan error)
	for range 17 { // one more than there are places
		go func() {
			end, err := d.door.Turn(t.Context(), "192.0.2.1")
			if err != nil {
				full <- err
				return
			}
			end()
		}()
	}
	if err := <-full; fault.Of(err) != fault.Busy {
		t.Fatal(err)
	}
	w := d.from(a, "192.0.2.1", "", "/api/v1/session/password", password)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("status %d", w.Code)
	}

	end()
	if w := d.from(a, "192.0.2.1", "", "/api/v1/session/password", password); w.Code != 200 {
		t.Errorf("afterwards: status %d", w.Code)
	}
}

func TestWrongPasswordsOfOneAccountFromManyAddressesMakeItWait(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	a := d.NewAPI()
	try := func(ip, name, password string) int {
		return d.from(a, ip, "", "/api/v1/session/password", map[string]string{"name": name, "password": password}).Code
	}
	for i := range lockout.Free + 1 {
		if got := try(fmt.Sprintf("192.0.2.%d", i), "ada", "wrong horse battery"); got != 401 {
			t.Fatalf("attempt %d: status %d", i, got)
		}
	}
	if got := try("192.0.2.99", "ada", "correct horse battery"); got != 429 {
		t.Errorf("the account does not wait: status %d", got)
	}
	d.clock.Advance(lockout.First)
	if got := try("192.0.2.99", "ada", "correct horse battery"); got != 200 {
		t.Errorf("after the wait: status %d", got)
	}
}

func TestASignInWithoutMemoryIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person("ada", policy.Administrator)
	a := d.NewAPI()
	ask := func() int {
		w := housetest.Ask(t, a, "192.0.2.1", "POST", "/api/v1/session/password", map[string]string{"name": "ada", "password": "correct horse battery"})
		if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
			t.Error("it is not told when to come again")
		}
		return w.Code
	}
	if got := ask(); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	if u := d.door.Memory.Usage(); u.Most < 64<<20 || u.Held != 0 {
		t.Errorf("a password took nothing from the budget, or kept it: %+v", u)
	}

	hog := d.door.Memory.Open()
	if err := hog.Grow(d.door.Memory.Usage().Total - 60<<20); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fault.New(fault.Busy, "test: no turn"))
	if _, err := d.door.Registry.CheckPassword(ctx, "ada", "correct horse battery"); err == nil {
		t.Error("a password was checked without memory")
	}
	hog.Close()
	if got := ask(); got != http.StatusOK {
		t.Errorf("afterwards: status %d", got)
	}
}
