package alarm_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"collimator/internal/alarm"
	"collimator/internal/fault"
)

// tokenServer gives tokens to the client pacs with the secret s3cret.
func tokenServer(t *testing.T) *httptest.Server {
	t.Helper()
	asked := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 4096))
		id, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		if id != "pacs" || secret != "s3cret" || !strings.Contains(string(body), "grant_type=client_credentials") || !strings.Contains(string(body), "scope=mail.send") {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"what is said here is not repeated"}`)
			return
		}
		asked++
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, asked)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestMailSignsInWithATokenThatIsFetched(t *testing.T) {
	t.Parallel()
	tokens := tokenServer(t)
	server, client := certificate(t)
	token := alarm.ClientToken(alarm.TokenClient{URL: tokens.URL, ID: "pacs", Secret: "s3cret", Scopes: []string{"mail.send"}, HTTP: tokens.Client()})

	for range 2 { // the second mail goes out with the same token
		address, got := mailServerOffering(t, server, "LOGIN XOAUTH2")
		m := &alarm.Mail{Server: address, Implicit: true, From: "c@example.org", To: []string{"s@example.org"}, User: "pacs@example.org", Token: token, TLS: client}
		if err := m.Send(t.Context(), message); err != nil {
			t.Fatal(err)
		}
		want := "AUTH XOAUTH2 " + base64.StdEncoding.EncodeToString([]byte("user=pacs@example.org\x01auth=Bearer token-1\x01\x01"))
		if text := <-got; !strings.Contains(text, want) {
			t.Errorf("it signed in by %q", text)
		}
	}
}

func TestATokenThatIsRefusedIsToldWithoutTheSecret(t *testing.T) {
	t.Parallel()
	tokens := tokenServer(t)
	for _, c := range []struct {
		client alarm.TokenClient
		kind   fault.Kind
	}{
		{alarm.TokenClient{URL: tokens.URL, ID: "pacs", Secret: "wr0ng", HTTP: tokens.Client()}, fault.Denied},
		{alarm.TokenClient{URL: "https://127.0.0.1:1/token", ID: "pacs", Secret: "wr0ng", HTTP: tokens.Client()}, fault.Unavailable},
	} {
		_, err := alarm.ClientToken(c.client)(t.Context())
		if fault.Of(err) != c.kind || strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), "not repeated") {
			t.Errorf("%v", err)
		}
	}
}

func TestMailWithATokenIsNotSentWhereTheServerTakesNone(t *testing.T) {
	t.Parallel()
	tokens := tokenServer(t)
	server, client := certificate(t)
	address, got := mailServerOffering(t, server, "PLAIN")
	m := &alarm.Mail{Server: address, Implicit: true, From: "c@example.org", To: []string{"s@example.org"}, User: "u", TLS: client,
		Token: alarm.ClientToken(alarm.TokenClient{URL: tokens.URL, ID: "pacs", Secret: "s3cret", Scopes: []string{"mail.send"}, HTTP: tokens.Client()})}

	err := m.Send(t.Context(), message)
	if err == nil || !strings.Contains(err.Error(), "it offers: PLAIN") {
		t.Errorf("%v", err)
	}
	if text := <-got; strings.Contains(text, "AUTH") {
		t.Errorf("it tried %q", text)
	}
}
