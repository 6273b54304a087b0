package identity

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/ledger"
	"collimator/internal/registers"
)

// TestTOTPFollowsTheVectorsOfTheRFC holds RFC 6238 B and RFC 4226 D.
func TestTOTPFollowsTheVectorsOfTheRFC(t *testing.T) {
	t.Parallel()
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		step := totpStep(time.Unix(at, 0))
		mac := hmac.New(sha1.New, key)
		binary.Write(mac, binary.BigEndian, step)
		if got := truncate(mac.Sum(nil), 8, 100_000_000); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
		if got := totpCode(key, step); got != want[2:] { // six digits are the last six of eight
			t.Errorf("at %d: %s, want %s", at, got, want[2:])
		}
	}
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := totpCode(key, int64(step)); got != want {
			t.Errorf("counter %d: %s, want %s", step, got, want)
		}
	}
}

func TestACodeCountsOnceAndOneStepAround(t *testing.T) {
	t.Parallel()
	key, now := newTOTPKey(), time.Unix(1_800_000_000, 0)
	at := totpStep(now)
	for off, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		if _, ok := matchTOTP(key, totpCode(key, at+off), now, 0); ok != want {
			t.Errorf("a code %d steps away counts: %v", off, ok)
		}
	}
	step, _ := matchTOTP(key, totpCode(key, at), now, 0)
	for off, want := range map[int64]bool{-1: false, 0: false, 1: true} {
		if _, ok := matchTOTP(key, totpCode(key, at+off), now, step); ok != want {
			t.Errorf("after one was taken, the code %d steps away counts: %v", off, ok)
		}
	}
	for _, code := range []string{"", "1", "abcdef", "1234567", strings.Repeat("1", 1000)} {
		if _, ok := matchTOTP(key, code, now, 0); ok {
			t.Errorf("%.10q counts", code)
		}
	}
}

func TestTheSecretIsAnAddressForAuthenticatorApps(t *testing.T) {
	t.Parallel()
	s := totpSecret([]byte("12345678901234567890"), "Collimator ARCHIVE", "grace hopper")
	u, err := url.Parse(s.URI)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Collimator ARCHIVE:grace hopper" {
		t.Errorf("%s: %v", s.URI, err)
	}
	if q := u.Query(); q.Get("secret") != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" || q.Get("issuer") != "Collimator ARCHIVE" || s.Secret != q.Get("secret") {
		t.Errorf("query %v", q)
	}
}

// inBubble runs f with a register whose clock is fake.
func inBubble(t *testing.T, f func(t *testing.T, r *Registry)) {
	synctest.Test(t, func(t *testing.T) {
		d, err := db.Open(t.Context(), db.Options{Path: filepath.Join(t.TempDir(), "index.db")})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		key, err := ledger.OpenKey(t.TempDir(), "test")
		if err != nil {
			t.Fatal(err)
		}
		r := New(d, registers.New(d, ledger.New(d, key)), time.Now)
		if err := r.db.Write(t.Context(), func(tx *db.Tx) error { return r.insertPerson(t.Context(), tx, "grace", "radiologist", "") }); err != nil {
			t.Fatal(err)
		}
		f(t, r)
	})
}

func TestSessionsEndWhenIdleAndAfterTheirTime(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *Registry) {
		s, ctx := NewSessions(r, SessionLimits{}), t.Context()
		alive := func(secret string) bool {
			_, _, err := s.Authenticate(ctx, secret)
			if err != nil && !errors.Is(err, ErrCredentials) {
				t.Fatal(err)
			}
			return err == nil
		}
		_, idle, err := s.Start(ctx, "grace", "passkey", "127.0.0.1", true, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30*time.Minute - time.Second)
		if !alive(idle) {
			t.Error("a session ends before its time")
		}
		time.Sleep(30 * time.Minute)
		if alive(idle) {
			t.Error("a session without requests goes on")
		}
		_, busy, err := s.Start(ctx, "grace", "passkey", "127.0.0.1", true, "")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for alive(busy) {
			if time.Since(start) > 13*time.Hour {
				t.Fatal("a session never ends")
			}
			time.Sleep(20 * time.Minute)
		}
		if got := time.Since(start); got != 12*time.Hour {
			t.Errorf("a busy session ended after %v, want 12h", got)
		}
		_, half, err := s.Start(ctx, "grace", "password", "127.0.0.1", false, "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Minute - time.Second)
		if !alive(half) {
			t.Error("half a session ends before its time")
		}
		time.Sleep(time.Second)
		if alive(half) {
			t.Error("half a session goes on after ten minutes")
		}
	})
}

func TestASessionIsWrittenAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *Registry) {
		s, ctx := NewSessions(r, SessionLimits{}), t.Context()
		_, secret, err := s.Start(ctx, "grace", "passkey", "127.0.0.1", true, "")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[time.Time]bool{}
		for range 600 {
			if _, _, err := s.Authenticate(ctx, secret); err != nil {
				t.Fatal(err)
			}
			list, err := s.List(ctx, "grace")
			if err != nil || len(list) != 1 {
				t.Fatal(len(list), err)
			}
			seen[list[0].Seen] = true
			time.Sleep(time.Second)
		}
		if len(seen) != 10 {
			t.Errorf("in ten minutes the session was written %d times, want 10", len(seen))
		}
	})
}

func TestSessionsOfOnePersonAreBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *Registry) {
		s, ctx := NewSessions(r, SessionLimits{}), t.Context()
		for range maxSessions + 5 {
			if _, _, err := s.Start(ctx, "grace", "passkey", "127.0.0.1", true, ""); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if list, err := s.List(ctx, "grace"); err != nil || len(list) != maxSessions {
			t.Errorf("%d sessions, want %d: %v", len(list), maxSessions, err)
		}
		if e, err := r.EndMade(ctx, "grace"); err != nil || e.Sessions != maxSessions {
			t.Errorf("%+v ended: %v", e, err)
		}
	})
}

func TestLinksEndAndTheLastOneCounts(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *Registry) {
		ctx := t.Context()
		_, first, err := r.FirstLink(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, second, err := r.FirstLink(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Link(ctx, first); !errors.Is(err, ErrLink) {
			t.Error("an earlier link counts beside the last one")
		}
		time.Sleep(LinkLifetime - time.Second)
		if l, err := r.Link(ctx, second); err != nil || l.Purpose != FirstAdministrator {
			t.Errorf("%+v: %v", l, err)
		}
		time.Sleep(time.Second)
		if _, err := r.UseLink(ctx, second, "ada", "correct horse battery"); !errors.Is(err, ErrLink) {
			t.Error("a link counts after a day")
		}
		if _, _, err := r.PersonLink(ctx, "nobody", "", false); fault.Of(err) != fault.NotFound {
			t.Errorf("a link for nobody: %v", err)
		}
	})
}

func TestAnIssuerWithoutTLSIsTakenOnLoopbackAlone(t *testing.T) {
	t.Parallel()
	r := &Registry{now: time.Now}
	for issuer, ok := range map[string]bool{
		"https://id.example.org": true, "http://id.example.org": false, "http://127.0.0.1:1": true, "http://localhost:1": true, "ftp://x": false, "": false, "http://127.0.0.1.example.org": false,
	} {
		_, err := NewOIDC(r, OIDCOptions{Issuer: issuer, ClientID: "c", NameClaim: "n", InsecureHTTP: true})
		if (err == nil) != ok {
			t.Errorf("%q: %v", issuer, err)
		}
	}
	if _, err := NewOIDC(r, OIDCOptions{Issuer: "http://127.0.0.1:1", ClientID: "c", NameClaim: "n"}); err == nil {
		t.Error("the safe zero value takes an issuer without TLS")
	}
	if _, err := NewOIDC(r, OIDCOptions{Issuer: "https://x", ClientID: "c", NameClaim: "n", Create: true}); err == nil {
		t.Error("people are made without a role")
	}
}

func TestWhoKnowsThePasswordAloneSignsNobodyOut(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *Registry) {
		s, ctx := NewSessions(r, SessionLimits{}), t.Context()
		_, whole, err := s.Start(ctx, "grace", "totp", "127.0.0.1", true, "")
		if err != nil {
			t.Fatal(err)
		}
		for range maxSessions + 10 {
			time.Sleep(time.Millisecond)
			if _, _, err := s.Start(ctx, "grace", "password", "192.0.2.1", false, ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := s.Authenticate(ctx, whole); err != nil {
			t.Errorf("the session of the owner: %v", err)
		}
		if list, err := s.List(ctx, "grace"); err != nil || len(list) != maxSessions+1 {
			t.Errorf("%d sessions: %v", len(list), err)
		}
	})
}
