package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/house/sitetest"
)

// authenticator is one in software: ES256, attestation "none".
type authenticator struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte
	counter uint32
	// What an attacker changes.
	origin, rp string
	flags      byte // user present 1, user verified 4
}

func newAuthenticator(t *testing.T, host string) *authenticator {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	rand.Read(id)
	return &authenticator{t: t, key: key, id: id, origin: "https://" + host, rp: "localhost", flags: 0x05}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// cborText, cborBytes: the two kinds of strings of CBOR.
func cborHead(major byte, n int) []byte {
	switch {
	case n < 24:
		return []byte{major<<5 | byte(n)}
	case n < 256:
		return []byte{major<<5 | 24, byte(n)}
	}
	return []byte{major<<5 | 25, byte(n >> 8), byte(n)}
}
func cborText(s string) []byte  { return append(cborHead(3, len(s)), s...) }
func cborBytes(b []byte) []byte { return append(cborHead(2, len(b)), b...) }

func (a *authenticator) clientData(kind, challenge string) []byte {
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false}) // texts
	return b
}

func (a *authenticator) authData(flags byte, more ...[]byte) []byte {
	rp := sha256.Sum256([]byte(a.rp))
	out := binary.BigEndian.AppendUint32(append(rp[:], flags), a.counter)
	return append(out, bytes.Join(more, nil)...)
}

// attest answers the options of a registration.
func (a *authenticator) attest(options map[string]any) map[string]any {
	pk := options["publicKey"].(map[string]any)
	a.handle, _ = base64.RawURLEncoding.DecodeString(pk["user"].(map[string]any)["id"].(string))
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	cose := bytes.Join([][]byte{{0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21}, cborBytes(point[1:33]), {0x22}, cborBytes(point[33:])}, nil)
	auth := a.authData(a.flags|0x40, make([]byte, 16), []byte{0, byte(len(a.id))}, a.id, cose)
	object := bytes.Join([][]byte{{0xA3}, cborText("fmt"), cborText("none"), cborText("attStmt"), {0xA0}, cborText("authData"), cborBytes(auth)}, nil)
	return map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": map[string]any{
		"clientDataJSON": b64(a.clientData("webauthn.create", pk["challenge"].(string))), "attestationObject": b64(object), "transports": []string{"internal"},
	}}
}

// assert answers the options of a login.
func (a *authenticator) assert(options map[string]any) map[string]any {
	a.counter++
	return a.assertTo(options["publicKey"].(map[string]any)["challenge"].(string))
}

func (a *authenticator) assertTo(challenge string) map[string]any {
	client, auth := a.clientData("webauthn.get", challenge), a.authData(a.flags)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(auth), hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig), "userHandle": b64(a.handle),
	}}
}

// registerPasskey adds a passkey to whoever is signed in, or half signed in.
func registerPasskey(b *sitetest.Browser, a *authenticator) sitetest.Answer {
	b.Helper()
	options := b.Must(200, "POST", "/api/v1/session/enrol/passkey/begin", nil)
	return b.Send("POST", "/api/v1/session/enrol/passkey/finish", map[string]any{"name": "key", "credential": a.attest(options.JSON)})
}

func challengeFor(b *sitetest.Browser) map[string]any {
	b.Helper()
	return b.Must(200, "POST", "/api/v1/session/passkey/begin", nil).JSON
}

func TestAPasskeySignsInByItselfAndAsSecondFactor(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b, key := x.Browser(), newAuthenticator(t, x.Host)
	pass := map[string]string{"name": "radiologist", "password": sitetest.Password}
	b.Must(200, "POST", "/api/v1/session/password", pass)
	if a := registerPasskey(b, key); a.StatusCode != 200 || len(a.JSON["recoveryCodes"].([]any)) != 10 {
		t.Fatalf("register: %d %s", a.StatusCode, a.Text)
	}
	b.Must(200, "GET", "/dicom-web/studies", nil)

	c := x.Browser() // discoverable
	a := c.Must(200, "POST", "/api/v1/session/passkey/finish", key.assert(challengeFor(c)))
	if a.JSON["state"] != "complete" || a.JSON["name"] != "radiologist" || a.JSON["method"] != "passkey" {
		t.Errorf("state: %s", a.Text)
	}
	c.Must(200, "GET", "/dicom-web/studies", nil)

	d := x.Browser() // by name, after the password
	d.Must(200, "POST", "/api/v1/session/password", pass)
	options := challengeFor(d)
	if list, _ := options["publicKey"].(map[string]any)["allowCredentials"].([]any); len(list) != 1 {
		t.Errorf("options: %v", options)
	}
	d.Must(200, "POST", "/api/v1/session/passkey/finish", key.assert(options))
	d.Must(200, "GET", "/dicom-web/studies", nil)
	if a := d.Must(200, "GET", "/api/v1/passkeys", nil); !strings.Contains(a.Text, `"host":"localhost"`) {
		t.Errorf("passkeys: %s", a.Text)
	}
	d.Must(409, "DELETE", "/api/v1/passkeys/"+b64(key.id), nil) // the last second factor
}

func TestPasskeysThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b, key := x.Browser(), newAuthenticator(t, x.Host)
	b.Must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": sitetest.Password})
	if a := registerPasskey(b, key); a.StatusCode != 200 {
		t.Fatal(a.Text)
	}
	finish := func(c *sitetest.Browser, answer map[string]any) int {
		return c.Send("POST", "/api/v1/session/passkey/finish", answer).StatusCode
	}
	from := 1
	for what, change := range map[string]func(*authenticator){
		"origin":            func(a *authenticator) { a.origin = "https://evil.example" },
		"port":              func(a *authenticator) { a.origin = "https://localhost:1" },
		"relying party":     func(a *authenticator) { a.rp = "evil.example" },
		"user not verified": func(a *authenticator) { a.flags = 0x01 },
		"user not present":  func(a *authenticator) { a.flags = 0x04 },
		"another key":       func(a *authenticator) { a.key = newAuthenticator(t, x.Host).key },
		"unknown handle":    func(a *authenticator) { a.handle = make([]byte, 32) },
		"unknown key":       func(a *authenticator) { a.id = make([]byte, 32) },
	} {
		from++ // each from another address: they make it wait
		evil, c := *key, x.BrowserAt(fmt.Sprintf("127.0.0.%d", from))
		evil.counter = key.counter + 10
		change(&evil)
		if got := finish(c, evil.assert(challengeFor(c))); got != 401 {
			t.Errorf("%s: status %d, want 401", what, got)
		}
		c.Must(401, "GET", "/dicom-web/studies", nil)
	}
	c := x.Browser()
	if got := finish(c, key.assertTo(b64(make([]byte, 32)))); got != 401 {
		t.Errorf("a challenge nobody gave: status %d", got)
	}
	good := key.assert(challengeFor(c))
	if got := finish(c, good); got != 200 {
		t.Fatalf("the right one: status %d", got)
	}
	if got := finish(x.Browser(), good); got != 401 {
		t.Errorf("replayed: status %d", got)
	}
	d := x.Browser()
	key.counter-- // a copy of the authenticator that is behind
	if got := finish(d, key.assertTo(challengeFor(d)["publicKey"].(map[string]any)["challenge"].(string))); got != 401 {
		t.Errorf("counter that goes back: status %d", got)
	}
	if a := d.Must(401, "POST", "/api/v1/session/passkey/finish", `{"id":"x"}`); a.JSON["signIn"] == nil {
		t.Error("the refusal does not say how to sign in")
	}
}

func TestARegistrationBelongsToItsSessionAndOrigin(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b, other := x.SignIn("radiologist"), x.SignIn("auditor")
	begin := func() map[string]any {
		return b.Must(200, "POST", "/api/v1/session/enrol/passkey/begin", nil).JSON
	}
	finish := func(c *sitetest.Browser, credential any) int {
		return c.Send("POST", "/api/v1/session/enrol/passkey/finish", map[string]any{"name": "key", "credential": credential}).StatusCode
	}
	if got := finish(other, newAuthenticator(t, x.Host).attest(begin())); got != 403 {
		t.Errorf("another person takes it: status %d", got)
	}
	evil := newAuthenticator(t, "evil.example")
	if got := finish(b, evil.attest(begin())); got != 403 {
		t.Errorf("another origin: status %d", got)
	}
	evil = newAuthenticator(t, x.Host)
	evil.flags = 0x01
	if got := finish(b, evil.attest(begin())); got != 403 {
		t.Errorf("user not verified: status %d", got)
	}
	key := newAuthenticator(t, x.Host)
	credential := key.attest(begin())
	if got := finish(b, credential); got != 200 {
		t.Errorf("the right one: status %d", got)
	}
	if got := finish(b, credential); got != 403 {
		t.Errorf("replayed: status %d", got)
	}
	// Under an address in place of a name there are no passkeys.
	b.Must(401, "GET", "https://"+x.Address+"/api/v1/session", nil)
	a := x.Browser().Must(400, "POST", "https://"+x.Address+"/api/v1/session/passkey/begin", nil)
	if !strings.Contains(a.Text, "host name") {
		t.Errorf("answer: %s", a.Text)
	}
}

func TestACopiedPasskeyNeverCountsAgainAndSomebodyIsTold(t *testing.T) {
	t.Parallel()
	x := sitetest.NewPeopledSite(t, nil)
	b, key := x.SignIn("radiologist"), newAuthenticator(t, x.Host)
	if a := registerPasskey(b, key); a.StatusCode != 200 {
		t.Fatal(a.Text)
	}
	finish := func(answer map[string]any) outcome {
		c := x.Browser()
		a := c.Send("POST", "/api/v1/session/passkey/finish", answer)
		return outcome{a.StatusCode, a.Text}
	}
	codes := func() (n int) {
		for _, r := range x.Records() {
			if r.Code == audit.PasskeyCopied && r.Principal == "radiologist" {
				n++
			}
		}
		return n
	}
	thief := *key // with the counter of now
	key.counter += 5
	good := key.assert(challengeFor(x.Browser()))
	if got := finish(good); got.status != 200 {
		t.Fatalf("the right one: %v", got)
	}
	if got := finish(good); got.status != 401 || codes() != 0 {
		t.Errorf("an answer sent twice is taken for a copy: %v", got)
	}
	if got := finish(thief.assert(challengeFor(x.Browser()))); got.status != 401 || !strings.Contains(got.text, "copied") {
		t.Errorf("the copy: %v", got)
	}
	thief.counter += 50
	if got := finish(thief.assert(challengeFor(x.Browser()))); got.status != 401 {
		t.Errorf("the copy has caught up: %v", got)
	}
	if got := codes(); got != 1 {
		t.Errorf("%d alarms, want 1", got)
	}
	if x.Recorded(audit.UserAuthenticated, "radiologist", "a passkey was copied") != 2 {
		t.Error("the attempts are not recorded with the name")
	}
	a := b.Must(200, "GET", "/api/v1/passkeys", nil)
	if !strings.Contains(a.Text, `"copied":true`) {
		t.Errorf("the list does not mark it: %s", a.Text)
	}
}

// outcome is what came of one attempt.
type outcome struct {
	status int
	text   string
}
