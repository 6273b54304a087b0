package main

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/house/sitetest"
)

// provider is a small identity provider: discovery, keys, authorization and
// token endpoint, with PKCE. change alters the claims of the next token.
type provider struct {
	*testing.T
	url    string
	mux    *http.ServeMux
	key    *rsa.PrivateKey
	mu     sync.Mutex
	codes  map[string]url.Values // what was asked for with the code
	claims map[string]any
	change func(claims map[string]any)
	info   map[string]any // of the UserInfo endpoint; nil: there is none
	meta   map[string]any // more of the discovery document
	kid    string         // of the key; "" means 1
	keys   string         // path of the keys; "" means /keys
	asked  url.Values     // of the last authorization request
	status int            // of the token endpoint; 0: as it should
}

// id is the name of the key, and from where it is read.
func (p *provider) id() (kid, path string) { return cmp.Or(p.kid, "1"), cmp.Or(p.keys, "/keys") }

func newProvider(t *testing.T) *provider {
	p := aProvider(t)
	return p.start(httptest.NewServer(p.mux))
}

// providerKey is the key of every provider; making one takes longer than most of
// what is done with it.
var providerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func aProvider(t *testing.T) *provider {
	key, err := providerKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{T: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_, keys := p.id()
		doc := map[string]any{
			"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token", "jwks_uri": p.url + keys,
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		}
		if p.info != nil {
			doc["userinfo_endpoint"] = p.url + "/userinfo"
		}
		maps.Copy(doc, p.meta)
		json.NewEncoder(w).Encode(doc)
	})
	mux.HandleFunc("GET /moved/keys", func(w http.ResponseWriter, r *http.Request) { p.publish(w, r) })
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) { p.publish(w, r) })
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer access-ZZTOKEN" {
			http.Error(w, "no token", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(p.info)
	})
	mux.HandleFunc("POST /token", p.token)
	p.mux = mux
	return p
}

func (p *provider) start(h *httptest.Server) *provider {
	p.Cleanup(h.Close)
	p.url = h.URL
	return p
}

// publish answers with the keys, where they are published now.
func (p *provider) publish(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kid, path := p.id()
	if r.URL.Path != path {
		http.NotFound(w, r)
		return
	}
	json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: kid, Algorithm: "RS256", Use: "sig"}}})
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status != 0 {
		http.Error(w, "ZZTOKEN out of order", p.status)
		return
	}
	asked, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	if !ok || asked.Get("code_challenge") != b64(sum[:]) || id != "collimator" || secret != "client-secret" || r.FormValue("redirect_uri") != asked.Get("redirect_uri") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.url, "aud": "collimator", "nonce": asked.Get("nonce"), "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix()}
	maps.Copy(claims, p.claims)
	if p.change != nil {
		p.change(claims)
	}
	kid, _ := p.id()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: kid}}, nil)
	if err != nil {
		p.Error(err)
		return
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		p.Error(err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "access-ZZTOKEN", "token_type": "Bearer", "id_token": raw})
}

// authorize is what the person does there: the way back with code and state.
func (p *provider) authorize(location string) (callback string) {
	u, err := url.Parse(location)
	if err != nil {
		p.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" || q.Get("response_type") != "code" {
		p.Fatalf("authorization request without what it needs: %s", location)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := rand.Text()
	p.codes[code], p.asked = q, q
	return q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

func signInAt(b *sitetest.Browser, p *provider) (callback string) {
	b.Helper()
	return p.authorize(b.Must(200, "POST", "/api/v1/session/oidc", nil).JSON["location"].(string))
}

func newOIDCSite(t *testing.T, p *provider, change func(*config.OIDC)) *sitetest.Site {
	x := sitetest.NewPeopledSite(t, func(c *config.Config) {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte("client-secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.SignIn.OIDC = config.OIDC{Issuer: p.url, ClientID: "collimator", ClientSecretFile: file}
		if change != nil {
			change(&c.SignIn.OIDC)
		}
	})

	settings, err := x.In.Config.YAML() // for commands beside the server
	if err == nil {
		err = os.WriteFile(filepath.Join(x.In.Config.Data, "collimator.yaml"), settings, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestAnIdentityProviderSignsInWhoIsRegistered(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	x := newOIDCSite(t, p, nil)
	p.claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	b := x.Browser()
	a := b.Must(200, "GET", signInAt(b, p), nil)
	if !strings.Contains(a.Text, `http-equiv="refresh"`) || !strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("landing: %s", a.Text)
	}
	if a := b.Must(200, "GET", "/api/v1/session", nil); a.JSON["name"] != "radiologist" || a.JSON["state"] != "complete" || a.JSON["method"] != "oidc" {
		t.Errorf("state: %s", a.Text)
	}
	b.Must(200, "GET", "/dicom-web/studies", nil)
	// From now on the subject counts: another one of this name does not get in.
	p.claims = map[string]any{"sub": "2", "preferred_username": "radiologist"}
	c := x.Browser()
	c.Must(401, "GET", signInAt(c, p), nil)
	p.claims = map[string]any{"sub": "3", "preferred_username": "nobody"}
	c.Must(401, "GET", signInAt(c, p), nil)
	if err := x.In.Registry.DisablePerson(t.Context(), "radiologist"); err != nil {
		t.Fatal(err)
	}
	p.claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	c.Must(401, "GET", signInAt(c, p), nil)
	if x.Recorded(audit.UserAuthenticated, "radiologist", "signed in by oidc") != 1 {
		t.Error("the sign-in is not recorded once")
	}
}

func TestRolesComeFromTheIdentityProviderWhereTheSettingsSaySo(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	x := newOIDCSite(t, p, func(o *config.OIDC) {
		o.RoleClaim, o.Create = "groups", true
		o.Roles = []config.OIDCRole{{Value: "pacs-admins", Role: "administrator"}, {Value: "pacs-readers", Role: "radiologist"}}
	})
	b := x.Browser()
	for groups, want := range map[string]string{"pacs-readers": "radiologist", "pacs-admins": "administrator"} {
		p.claims = map[string]any{"sub": "new", "preferred_username": "new", "groups": []string{"x", groups}}
		b.Must(200, "GET", signInAt(b, p), nil)
		if a := b.Must(200, "GET", "/api/v1/session", nil); a.JSON["role"] != want {
			t.Errorf("%s: %s", groups, a.Text)
		}
	}
	p.claims = map[string]any{"sub": "new", "preferred_username": "new", "groups": []string{"x"}}
	b.Must(401, "GET", signInAt(b, p), nil)
	// Who was made by the provider has no password.
	x.Browser().Must(401, "POST", "/api/v1/session/password", map[string]string{"name": "new", "password": ""})
}

func TestAnswersOfAnIdentityProviderThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	x := newOIDCSite(t, p, nil)
	p.claims = map[string]any{"sub": "1", "preferred_username": "radiologist"}
	for what, change := range map[string]func(map[string]any){
		"nonce":      func(c map[string]any) { c["nonce"] = "another" },
		"no nonce":   func(c map[string]any) { delete(c, "nonce") },
		"audience":   func(c map[string]any) { c["aud"] = "another" },
		"issuer":     func(c map[string]any) { c["iss"] = "https://evil.example" },
		"expired":    func(c map[string]any) { c["exp"] = time.Now().Add(-2 * time.Minute).Unix() },
		"no name":    func(c map[string]any) { delete(c, "preferred_username") },
		"odd name":   func(c map[string]any) { c["preferred_username"] = []string{"radiologist"} },
		"no subject": func(c map[string]any) { delete(c, "sub") },
	} {
		p.change = change
		b := x.Browser()
		b.Must(401, "GET", signInAt(b, p), nil)
		if b.Cookie() != "" {
			t.Errorf("%s: a session was made", what)
		}
	}
	p.change = nil
	b := x.Browser()
	callback := signInAt(b, p)
	u, _ := url.Parse(callback)
	q := u.Query()
	q.Set("state", "another")
	b.Must(401, "GET", u.Path+"?"+q.Encode(), nil)
	x.Browser().Must(401, "GET", callback, nil) // another browser
	b.Must(200, "GET", callback, nil)           // which has not used it up
	b.Must(401, "GET", callback, nil)
}

func TestAnIdentityProviderThatIsDownOrLeadsElsewhereIsNotFollowed(t *testing.T) {
	t.Parallel()
	good := newProvider(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, good.url+r.URL.Path, http.StatusFound)
	}))
	t.Cleanup(elsewhere.Close)
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 64 {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
		t.Error("64 MiB of an answer were read")
	}))
	t.Cleanup(endless.Close)
	for what, issuer := range map[string]string{"nobody there": "http://127.0.0.1:1", "leads elsewhere": elsewhere.URL, "endless": endless.URL} {
		x := sitetest.NewPeopledSite(t, func(c *config.Config) { c.SignIn.OIDC = config.OIDC{Issuer: issuer, ClientID: "collimator"} })
		if a := x.Browser().Must(503, "POST", "/api/v1/session/oidc", nil); strings.Contains(a.Text, "127.0.0.1") {
			t.Errorf("%s: the refusal tells our inside: %s", what, a.Text)
		}
	}
}
