package sitetest

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"collimator/internal/config"
)

// Provider is a small identity provider: discovery, keys, authorization and token
// endpoint, with PKCE. What it answers is changed by its fields.
type Provider struct {
	*testing.T
	URL    string
	Mux    *http.ServeMux
	Key    *rsa.PrivateKey
	Claims map[string]any              // of the next token
	Change func(claims map[string]any) // alters them
	Info   map[string]any              // of the UserInfo endpoint; nil: there is none
	Meta   map[string]any              // more of the discovery document
	KeyID  string                      // empty means 1
	Keys   string                      // path of the keys; empty means /keys
	Asked  url.Values                  // of the last authorization request
	Status int                         // of the token endpoint; 0: as it should

	mu    sync.Mutex
	codes map[string]url.Values // what was asked for with the code
}

// NewProvider is an identity provider that answers.
func NewProvider(t *testing.T) *Provider {
	t.Helper()
	p := SilentProvider(t)
	return p.Start(httptest.NewServer(p.Mux))
}

// SilentProvider is an identity provider that answers when it is started.
func SilentProvider(t *testing.T) *Provider {
	t.Helper()
	key, err := providerKey()
	if err != nil {
		t.Fatal(err)
	}

	p := &Provider{T: t, Mux: http.NewServeMux(), Key: key, codes: map[string]url.Values{}}
	for route, answer := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": p.discovery,
		"GET /keys":                             p.publish,
		"GET /moved/keys":                       p.publish,
		"GET /userinfo":                         p.userInfo,
		"POST /token":                           p.token,
	} {
		p.Mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			answer(w, r)
		})
	}
	return p
}

// providerKey is the key of every provider; making one takes longer than most of
// what is done with it.
var providerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// Start answers by a server until the test ends.
func (p *Provider) Start(h *httptest.Server) *Provider {
	p.Cleanup(h.Close)
	p.URL = h.URL
	return p
}

// Alter changes fields while nobody is answered.
func (p *Provider) Alter(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// keys is the name of the key, and from where it is read.
func (p *Provider) keys() (id, path string) { return cmp.Or(p.KeyID, "1"), cmp.Or(p.Keys, "/keys") }

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	_, path := p.keys()
	doc := map[string]any{
		"issuer":                                p.URL,
		"authorization_endpoint":                p.URL + "/authorize",
		"token_endpoint":                        p.URL + "/token",
		"jwks_uri":                              p.URL + path,
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}
	if p.Info != nil {
		doc["userinfo_endpoint"] = p.URL + "/userinfo"
	}
	maps.Copy(doc, p.Meta)
	json.NewEncoder(w).Encode(doc)
}

// publish answers with the keys, where they are published now.
func (p *Provider) publish(w http.ResponseWriter, r *http.Request) {
	id, path := p.keys()
	if r.URL.Path != path {
		http.NotFound(w, r)
		return
	}
	key := jose.JSONWebKey{Key: p.Key.Public(), KeyID: id, Algorithm: "RS256", Use: "sig"}
	json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access-ZZTOKEN" {
		http.Error(w, "no token", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(p.Info)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if p.Status != 0 {
		http.Error(w, "ZZTOKEN out of order", p.Status)
		return
	}

	asked, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	if !ok || !fits(r, asked) {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}

	now := time.Now()
	claims := map[string]any{
		"iss": p.URL, "aud": "collimator", "nonce": asked.Get("nonce"), "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
	}
	maps.Copy(claims, p.Claims)
	if p.Change != nil {
		p.Change(claims)
	}
	id, _ := p.keys()
	raw, err := signed(jose.JSONWebKey{Key: p.Key, KeyID: id}, nil, claims)
	if err != nil {
		p.Error(err)
		return
	}

	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "access-ZZTOKEN", "token_type": "Bearer", "id_token": raw})
}

// fits reports whether a request for a token shows what was asked for with its code.
func fits(r *http.Request, asked url.Values) bool {
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	return asked.Get("code_challenge") == base64.RawURLEncoding.EncodeToString(sum[:]) &&
		id == "collimator" && secret == "client-secret" && r.FormValue("redirect_uri") == asked.Get("redirect_uri")
}

// signed is a token.
func signed(key jose.JSONWebKey, options *jose.SignerOptions, claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// Authorize is what the person does there: the way back with code and state.
func (p *Provider) Authorize(location string) (callback string) {
	p.Helper()
	u, err := url.Parse(location)
	if err != nil {
		p.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" || q.Get("response_type") != "code" {
		p.Fatalf("authorization request without what it needs: %s", location)
	}

	code := rand.Text()
	p.Alter(func() { p.codes[code], p.Asked = q, q })
	return q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

// LogoutToken is what the provider posts when subject signs out there; change
// alters its claims.
func (p *Provider) LogoutToken(subject string, change func(map[string]any)) string {
	p.Helper()
	now := time.Now()
	claims := map[string]any{
		"iss": p.URL, "aud": "collimator", "sub": subject, "jti": subject + now.String(),
		"iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if change != nil {
		change(claims)
	}

	raw, err := signed(jose.JSONWebKey{Key: p.Key, KeyID: "1"}, (&jose.SignerOptions{}).WithType("logout+jwt"), claims)
	if err != nil {
		p.Fatal(err)
	}
	return raw
}

// SignInAt is a sign-in at a provider, up to the way back.
func (b *Browser) SignInAt(p *Provider) (callback string) {
	b.Helper()
	return p.Authorize(b.Must(200, "POST", "/api/v1/session/oidc", nil).JSON["location"].(string))
}

// NewSite is a peopled site whose people sign in at the provider too. Commands beside
// the server have its settings.
func (p *Provider) NewSite(change func(*config.OIDC)) *Site {
	p.Helper()
	dir := p.TempDir()
	if err := (Directory{"secret": []byte("client-secret\n")}).Lay(dir); err != nil {
		p.Fatal(err)
	}
	x := NewPeopledSite(p.T, func(c *config.Config) {
		c.SignIn.OIDC = config.OIDC{Issuer: p.URL, ClientID: "collimator", ClientSecretFile: filepath.Join(dir, "secret")}
		if change != nil {
			change(&c.SignIn.OIDC)
		}
	})

	settings, err := x.In.Config.YAML()
	if err == nil {
		err = Directory{config.File: settings}.Lay(x.In.Config.Data)
	}
	if err != nil {
		p.Fatal(err)
	}
	return x
}
