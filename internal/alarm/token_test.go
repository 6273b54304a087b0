package alarm_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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
	token := alarm.NewTokens(alarm.TokenClient{URL: tokens.URL, ID: "pacs", Secret: "s3cret", Scopes: []string{"mail.send"}}, tokens.Client())

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
		{alarm.TokenClient{URL: tokens.URL, ID: "pacs", Secret: "wr0ng"}, fault.Denied},
		{alarm.TokenClient{URL: "https://127.0.0.1:1/token", ID: "pacs", Secret: "wr0ng"}, fault.Unavailable},
	} {
		_, _, err := alarm.NewTokens(c.client, tokens.Client()).Get(t.Context())
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
		Token: alarm.NewTokens(alarm.TokenClient{URL: tokens.URL, ID: "pacs", Secret: "s3cret", Scopes: []string{"mail.send"}}, tokens.Client())}

	err := m.Send(t.Context(), message)
	if err == nil || !strings.Contains(err.Error(), "it offers: PLAIN") {
		t.Errorf("%v", err)
	}
	if text := <-got; strings.Contains(text, "AUTH") {
		t.Errorf("it tried %q", text)
	}
}

// judgingServer is a mail server over TLS that answers a sign-in by XOAUTH2 as judge
// says of the token, and takes every mail.
func judgingServer(t *testing.T, config *tls.Config, judge func(token string) string) string {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { ln.Close(); running.Wait() })

	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { defer conn.Close(); takeMail(conn, judge) })
		}
	})
	return ln.Addr().String()
}

// takeMail is the server's side of one connection.
func takeMail(conn net.Conn, judge func(token string) string) {
	fmt.Fprint(conn, "220 mail\r\n")
	in := bufio.NewScanner(conn)
	for data := false; in.Scan(); {
		verb, rest, _ := strings.Cut(in.Text(), " ")
		answer := "250 good"
		switch {
		case data && in.Text() == ".":
			data = false
		case data:
			continue
		case verb == "EHLO":
			answer = "250-mail\r\n250 AUTH XOAUTH2"
		case verb == "AUTH":
			shown, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "XOAUTH2 "))
			_, token, _ := strings.Cut(string(shown), "Bearer ")
			answer = judge(strings.TrimRight(token, "\x01"))
		case verb == "DATA":
			answer, data = "354 go on", true
		}
		fmt.Fprint(conn, answer+"\r\n")
	}
}

func TestATokenThatTheMailServerRefusesIsFetchedAnewOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  string // to a token that the server does not take
		takes   string // the one it takes from the second mail on
		kind    fault.Kind
		shown   string // the tokens of the second mail
		another string // the token of a third one
	}{
		"it was revoked":      {"535 5.7.3 gone", "token-2", fault.None, "token-1 token-2", "token-2"},
		"none is taken":       {"535 5.7.3 gone", "token-9", fault.Denied, "token-1 token-2", "token-3"},
		"for the moment only": {"454 4.7.0 later", "token-9", fault.Unavailable, "token-1", "token-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens := tokenServer(t)
			server, client := certificate(t)
			var mu sync.Mutex
			var shown []string
			takes := "token-1"
			address := judgingServer(t, server, func(token string) string {
				mu.Lock()
				defer mu.Unlock()
				shown = append(shown, token)
				if token != takes {
					return c.answer
				}
				return "235 welcome"
			})
			m := &alarm.Mail{Server: address, Implicit: true, From: "c@example.org", To: []string{"s@example.org"}, User: "pacs@example.org", TLS: client,
				Token: alarm.NewTokens(alarm.TokenClient{URL: tokens.URL, ID: "pacs", Secret: "s3cret", Scopes: []string{"mail.send"}}, tokens.Client())}
			if err := m.Send(t.Context(), message); err != nil {
				t.Fatal(err)
			}

			mu.Lock()
			shown, takes = nil, c.takes
			mu.Unlock()
			err := m.Send(t.Context(), message)
			if c.kind == fault.None && err != nil || c.kind != fault.None && fault.Of(err) != c.kind {
				t.Errorf("the second mail: %v", err)
			}
			mu.Lock()
			got := strings.Join(shown, " ")
			mu.Unlock()
			if got != c.shown {
				t.Errorf("it showed %s, want %s", got, c.shown)
			}
			if token, _, err := m.Token.Get(t.Context()); err != nil || token != c.another {
				t.Errorf("then %s, %v, want %s", token, err, c.another)
			}
		})
	}
}

func TestWhyThereIsNoTokenIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
		want   string
	}{
		"out of order":      {503, "", fault.Unavailable, "503 Service Unavailable"},
		"too often":         {429, `{"error":"slow_down"}`, fault.Unavailable, "429 Too Many Requests slow_down"},
		"refused":           {400, `{"error":"invalid_scope"}`, fault.Denied, "400 Bad Request invalid_scope"},
		"leads elsewhere":   {302, "", fault.Unavailable, "leads elsewhere"},
		"no token":          {200, `{}`, fault.Unavailable, "does not answer as it should"},
		"a reason, endless": {400, `{"error":"` + strings.Repeat("x", 100_000) + `"}`, fault.Denied, "xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			t.Cleanup(s.Close)
			_, _, err := alarm.NewTokens(alarm.TokenClient{URL: s.URL, ID: "pacs", Secret: "s3cret"}, s.Client()).Get(t.Context())
			if fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 400 {
				t.Errorf("%.500v", err)
			}
		})
	}
}

func TestATokenIsWaitedForNoLongerThanTheMail(t *testing.T) {
	t.Parallel()
	asked, end := make(chan struct{}, 8), make(chan struct{})
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{}; <-end }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(end) })
	tokens := alarm.NewTokens(alarm.TokenClient{URL: s.URL, ID: "pacs", Secret: "s3cret"}, s.Client())

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for range 2 { // the second waits for the first
		go func() { _, _, err := tokens.Get(ctx); done <- err }()
	}
	<-asked
	cancel()
	for range 2 {
		if err := <-done; fault.Of(err) != fault.Unavailable {
			t.Errorf("%v", err)
		}
	}
}
