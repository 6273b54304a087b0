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

// register adds a passkey to whoever is signed in, or half signed in.
func (b *browser) register(a *authenticator) answer {
	b.Helper()
	options := b.must(200, "POST", "/api/v1/session/enrol/passkey/begin", nil)
	return b.send("POST", "/api/v1/session/enrol/passkey/finish", map[string]any{"name": "key", "credential": a.attest(options.json)})
}

func (b *browser) challenge() map[string]any {
	b.Helper()
	return b.must(200, "POST", "/api/v1/session/passkey/begin", nil).json
}

func TestAPasskeySignsInByItselfAndAsSecondFactor(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b, key := x.browser(), newAuthenticator(t, x.host)
	pass := map[string]string{"name": "radiologist", "password": testPassword}
	b.must(200, "POST", "/api/v1/session/password", pass)
	if a := b.register(key); a.StatusCode != 200 || len(a.json["recoveryCodes"].([]any)) != 10 {
		t.Fatalf("register: %d %s", a.StatusCode, a.text)
	}
	b.must(200, "GET", "/dicom-web/studies", nil)

	c := x.browser() // discoverable
	a := c.must(200, "POST", "/api/v1/session/passkey/finish", key.assert(c.challenge()))
	if a.json["state"] != "complete" || a.json["name"] != "radiologist" || a.json["method"] != "passkey" {
		t.Errorf("state: %s", a.text)
	}
	c.must(200, "GET", "/dicom-web/studies", nil)

	d := x.browser() // by name, after the password
	d.must(200, "POST", "/api/v1/session/password", pass)
	options := d.challenge()
	if list, _ := options["publicKey"].(map[string]any)["allowCredentials"].([]any); len(list) != 1 {
		t.Errorf("options: %v", options)
	}
	d.must(200, "POST", "/api/v1/session/passkey/finish", key.assert(options))
	d.must(200, "GET", "/dicom-web/studies", nil)
	if a := d.must(200, "GET", "/api/v1/passkeys", nil); !strings.Contains(a.text, `"host":"localhost"`) {
		t.Errorf("passkeys: %s", a.text)
	}
	d.must(409, "DELETE", "/api/v1/passkeys/"+b64(key.id), nil) // the last second factor
}

func TestPasskeysThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b, key := x.browser(), newAuthenticator(t, x.host)
	b.must(200, "POST", "/api/v1/session/password", map[string]string{"name": "radiologist", "password": testPassword})
	if a := b.register(key); a.StatusCode != 200 {
		t.Fatal(a.text)
	}
	finish := func(c *browser, answer map[string]any) int {
		return c.send("POST", "/api/v1/session/passkey/finish", answer).StatusCode
	}
	from := 1
	for what, change := range map[string]func(*authenticator){
		"origin":            func(a *authenticator) { a.origin = "https://evil.example" },
		"port":              func(a *authenticator) { a.origin = "https://localhost:1" },
		"relying party":     func(a *authenticator) { a.rp = "evil.example" },
		"user not verified": func(a *authenticator) { a.flags = 0x01 },
		"user not present":  func(a *authenticator) { a.flags = 0x04 },
		"another key":       func(a *authenticator) { a.key = newAuthenticator(t, x.host).key },
		"unknown handle":    func(a *authenticator) { a.handle = make([]byte, 32) },
		"unknown key":       func(a *authenticator) { a.id = make([]byte, 32) },
	} {
		from++ // each from another address: they make it wait
		evil, c := *key, x.browserAt(fmt.Sprintf("127.0.0.%d", from))
		evil.counter = key.counter + 10
		change(&evil)
		if got := finish(c, evil.assert(c.challenge())); got != 401 {
			t.Errorf("%s: status %d, want 401", what, got)
		}
		c.must(401, "GET", "/dicom-web/studies", nil)
	}
	c := x.browser()
	if got := finish(c, key.assertTo(b64(make([]byte, 32)))); got != 401 {
		t.Errorf("a challenge nobody gave: status %d", got)
	}
	good := key.assert(c.challenge())
	if got := finish(c, good); got != 200 {
		t.Fatalf("the right one: status %d", got)
	}
	if got := finish(x.browser(), good); got != 401 {
		t.Errorf("replayed: status %d", got)
	}
	d := x.browser()
	key.counter-- // a copy of the authenticator that is behind
	if got := finish(d, key.assertTo(d.challenge()["publicKey"].(map[string]any)["challenge"].(string))); got != 401 {
		t.Errorf("counter that goes back: status %d", got)
	}
	if a := d.must(401, "POST", "/api/v1/session/passkey/finish", `{"id":"x"}`); a.json["signIn"] == nil {
		t.Error("the refusal does not say how to sign in")
	}
}

func TestARegistrationBelongsToItsSessionAndOrigin(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b, other := x.signIn("radiologist"), x.signIn("auditor")
	begin := func() map[string]any {
		return b.must(200, "POST", "/api/v1/session/enrol/passkey/begin", nil).json
	}
	finish := func(c *browser, credential any) int {
		return c.send("POST", "/api/v1/session/enrol/passkey/finish", map[string]any{"name": "key", "credential": credential}).StatusCode
	}
	if got := finish(other, newAuthenticator(t, x.host).attest(begin())); got != 403 {
		t.Errorf("another person takes it: status %d", got)
	}
	evil := newAuthenticator(t, "evil.example")
	if got := finish(b, evil.attest(begin())); got != 403 {
		t.Errorf("another origin: status %d", got)
	}
	evil = newAuthenticator(t, x.host)
	evil.flags = 0x01
	if got := finish(b, evil.attest(begin())); got != 403 {
		t.Errorf("user not verified: status %d", got)
	}
	key := newAuthenticator(t, x.host)
	credential := key.attest(begin())
	if got := finish(b, credential); got != 200 {
		t.Errorf("the right one: status %d", got)
	}
	if got := finish(b, credential); got != 403 {
		t.Errorf("replayed: status %d", got)
	}
	// Under an address in place of a name there are no passkeys.
	b.must(401, "GET", "https://"+x.addr+"/api/v1/session", nil)
	a := x.browser().must(400, "POST", "https://"+x.addr+"/api/v1/session/passkey/begin", nil)
	if !strings.Contains(a.text, "host name") {
		t.Errorf("answer: %s", a.text)
	}
}

func TestACopiedPasskeyNeverCountsAgainAndSomebodyIsTold(t *testing.T) {
	t.Parallel()
	x := newPeopledSite(t, nil)
	b, key := x.signIn("radiologist"), newAuthenticator(t, x.host)
	if a := b.register(key); a.StatusCode != 200 {
		t.Fatal(a.text)
	}
	finish := func(answer map[string]any) outcome {
		c := x.browser()
		a := c.send("POST", "/api/v1/session/passkey/finish", answer)
		return outcome{a.StatusCode, a.text}
	}
	codes := func() (n int) {
		for _, r := range x.records() {
			if r.Code == audit.PasskeyCopied && r.Principal == "radiologist" {
				n++
			}
		}
		return n
	}
	thief := *key // with the counter of now
	key.counter += 5
	good := key.assert(x.browser().challenge())
	if got := finish(good); got.status != 200 {
		t.Fatalf("the right one: %v", got)
	}
	if got := finish(good); got.status != 401 || codes() != 0 {
		t.Errorf("an answer sent twice is taken for a copy: %v", got)
	}
	if got := finish(thief.assert(x.browser().challenge())); got.status != 401 || !strings.Contains(got.text, "copied") {
		t.Errorf("the copy: %v", got)
	}
	thief.counter += 50
	if got := finish(thief.assert(x.browser().challenge())); got.status != 401 {
		t.Errorf("the copy has caught up: %v", got)
	}
	if got := codes(); got != 1 {
		t.Errorf("%d alarms, want 1", got)
	}
	if x.recorded(audit.UserAuthenticated, "radiologist", "a passkey was copied") != 2 {
		t.Error("the attempts are not recorded with the name")
	}
	a := b.must(200, "GET", "/api/v1/passkeys", nil)
	if !strings.Contains(a.text, `"copied":true`) {
		t.Errorf("the list does not mark it: %s", a.text)
	}
}

// outcome is what came of one attempt.
type outcome struct {
	status int
	text   string
}
