package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"collimator/internal/house/housetest"
	"collimator/internal/identity"
)

func signToken(t *testing.T, key any, alg jose.SignatureAlgorithm, c jwt.Claims) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokensCountOnceAndOnlyFromTheirIssuer(t *testing.T) {
	t.Parallel()
	c := housetest.NewClock()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	pub := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	v, err := identity.NewTokenVerifier("https://issuer.example.org", "COLLIMATOR", pub, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	good := func(id string) jwt.Claims {
		return jwt.Claims{Issuer: "https://issuer.example.org", Subject: "ada", Audience: jwt.Audience{"COLLIMATOR"}, ID: id,
			IssuedAt: jwt.NewNumericDate(c.Now()), Expiry: jwt.NewNumericDate(c.Now().Add(time.Hour))}
	}
	with := func(id string, change func(*jwt.Claims)) jwt.Claims { x := good(id); change(&x); return x }
	es := jose.ES256
	once := signToken(t, key, es, good("once"))
	for _, tc := range []struct {
		name, token string
		ok          bool
	}{
		{"good", once, true},
		{"replayed", once, false},
		{"another one", signToken(t, key, es, good("two")), true},
		{"another key", signToken(t, other, es, good("3")), false},
		{"shared secret made of the public key", signToken(t, pub, jose.HS256, good("4")), false},
		{"another issuer", signToken(t, key, es, with("5", func(x *jwt.Claims) { x.Issuer = "https://evil.example.org" })), false},
		{"another audience", signToken(t, key, es, with("6", func(x *jwt.Claims) { x.Audience = jwt.Audience{"PACS2"} })), false},
		{"expired", signToken(t, key, es, with("7", func(x *jwt.Claims) { x.Expiry = jwt.NewNumericDate(c.Now().Add(-2 * time.Minute)) })), false},
		{"not yet", signToken(t, key, es, with("8", func(x *jwt.Claims) { x.NotBefore = jwt.NewNumericDate(c.Now().Add(time.Hour)) })), false},
		{"without end", signToken(t, key, es, with("9", func(x *jwt.Claims) { x.Expiry = nil })), false},
		{"valid for years", signToken(t, key, es, with("10", func(x *jwt.Claims) { x.Expiry = jwt.NewNumericDate(c.Now().AddDate(3, 0, 0)) })), false},
		{"without identifier", signToken(t, key, es, good("")), false},
		{"without subject", signToken(t, key, es, with("11", func(x *jwt.Claims) { x.Subject = "" })), false},
		{"unsigned", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.", false},
		{"garbage", "ZZPHI", false},
		{"too long", strings.Repeat("a", 1<<20), false},
	} {
		subject, err := v.Verify(tc.token)
		if (err == nil) != tc.ok || tc.ok && subject != "ada" {
			t.Errorf("%s: %q, %v; want accepted = %v", tc.name, subject, err, tc.ok)
		}
	}
}

func TestTokenVerifierNeedsKeys(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"", "garbage", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := identity.NewTokenVerifier("i", "a", []byte(keys), time.Now); err == nil {
			t.Errorf("%q was taken for keys", keys)
		}
	}
}
