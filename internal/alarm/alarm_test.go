package alarm_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"collimator/internal/alarm"
	"collimator/internal/outward"
)

// certificate borrows the test certificate of net/http/httptest.
func certificate(t *testing.T) (*tls.Config, *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: pool}
}

var message = alarm.Message{ID: "x1", Kind: "events", Severity: "critical", Title: "Größe\r\nBcc: evil@example.org", At: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC), From: "Collimator TEST",
	Events: []alarm.Event{{Kind: "issue", Severity: "critical", At: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC), Text: "first line\nsecond"}}}

// mailServer takes one mail and gives what came after DATA, and the commands.
func mailServer(t *testing.T, config *tls.Config, implicit, offer bool) (string, chan string) {
	t.Helper()
	return mailServerOver(t, config, offer, func(conn net.Conn) net.Conn {
		if implicit {
			return tls.Server(conn, config)
		}
		return conn
	})
}

// mailServerOver is mailServer on what over makes of the connection.
func mailServerOver(t *testing.T, config *tls.Config, offer bool, over func(net.Conn) net.Conn) (string, chan string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	got := make(chan string, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		got <- converse(over(conn), config, offer)
	}()
	return ln.Addr().String(), got
}

func converse(conn net.Conn, config *tls.Config, offer bool) string {
	var all strings.Builder
	in := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 test ESMTP\r\n")
	for range 50 {
		line, err := in.ReadString('\n')
		if err != nil {
			return all.String()
		}
		all.WriteString(line)
		switch word := strings.ToUpper(strings.TrimSpace(strings.SplitN(line, " ", 2)[0])); word {
		case "EHLO":
			if offer {
				fmt.Fprint(conn, "250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
			} else {
				fmt.Fprint(conn, "250-test\r\n250 AUTH PLAIN\r\n")
			}
		case "STARTTLS":
			fmt.Fprint(conn, "220 go\r\n")
			conn = tls.Server(conn, config)
			in = bufio.NewReader(conn)
		case "AUTH":
			if strings.Contains(line, "LOGIN") {
				for _, question := range []string{"VXNlcm5hbWU6", "UGFzc3dvcmQ6"} { // Username: and Password:
					fmt.Fprint(conn, "334 "+question+"\r\n")
					answer, _ := in.ReadString('\n')
					all.WriteString(answer)
				}
			}
			fmt.Fprint(conn, "235 ok\r\n")
		case "RCPT":
			if strings.Contains(line, "gone") {
				fmt.Fprint(conn, "550 5.1.1 no such user\r\n")
			} else {
				fmt.Fprint(conn, "250 ok\r\n")
			}
		case "DATA":
			fmt.Fprint(conn, "354 go\r\n")
			for {
				l, err := in.ReadString('\n')
				if err != nil || l == ".\r\n" {
					break
				}
				all.WriteString(l)
			}
			fmt.Fprint(conn, "250 taken\r\n")
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return all.String()
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
	return all.String()
}

func TestMailGoesOutWithTLSOnly(t *testing.T) {
	t.Parallel()
	server, client := certificate(t)
	for _, c := range []struct {
		implicit, offer, taken bool
		trust                  *tls.Config
	}{{true, false, true, client}, {false, true, true, client}, {false, false, false, client}, {true, false, false, &tls.Config{}}, {false, true, false, &tls.Config{}}} {
		address, got := mailServer(t, server, c.implicit, c.offer)
		m := &alarm.Mail{Server: address, Implicit: c.implicit, From: "c@example.org", To: []string{"s@example.org"}, User: "u", Password: "a secret of the test", TLS: c.trust}
		err := m.Send(t.Context(), message)
		text := <-got
		if (err == nil) != c.taken {
			t.Errorf("%+v: %v", c, err)
		}
		if !c.taken {
			if strings.Contains(text, "AUTH") || strings.Contains(text, "MAIL") {
				t.Errorf("%+v: without TLS came %q", c, text)
			}
			continue
		}
		for _, want := range []string{"MAIL FROM:<c@example.org>", "RCPT TO:<s@example.org>", "Subject: =?utf-8?q?", "Auto-Submitted: auto-generated", "first line second"} {
			if !strings.Contains(text, want) {
				t.Errorf("the mail lacks %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, "\nBcc:") {
			t.Error("a title made a header")
		}
		if err != nil && strings.Contains(err.Error(), "secret of the test") {
			t.Error("the error holds the password")
		}
	}
}

func TestWebhookIsSignedAndFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	secret := []byte("a secret of sixteen")
	var body []byte
	var signature string
	hits := 0
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/hook", http.StatusTemporaryRedirect)
			return
		}
		body, _ = io.ReadAll(r.Body)
		signature = r.Header.Get(alarm.SignatureHeader)
	}))
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	trust := &tls.Config{RootCAs: pool}
	if err := alarm.NewWebhook(s.URL+"/hook", secret, new(outward.Way).Transport(trust)).Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	at, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(at + "." + string(body)))
	if want := "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil)); signature != want {
		t.Errorf("signature %s, want %s", signature, want)
	}
	var back alarm.Message
	if err := json.Unmarshal(body, &back); err != nil || back.ID != "x1" || len(back.Events) != 1 {
		t.Errorf("body %s: %v", body, err)
	}
	before := hits
	if err := alarm.NewWebhook(s.URL+"/away", secret, new(outward.Way).Transport(trust)).Send(t.Context(), message); err == nil || hits != before+1 {
		t.Errorf("redirect: %v after %d requests", err, hits-before)
	}
	if err := alarm.NewWebhook(s.URL+"/hook", secret, new(outward.Way).Transport(nil)).Send(t.Context(), message); err == nil {
		t.Error("a certificate that nobody vouches for was believed")
	}
	if name := alarm.NewWebhook("https://hook.example.org/very/secret", secret, new(outward.Way).Transport(trust)).Name(); strings.Contains(name, "secret") {
		t.Errorf("the name is %s", name)
	}
}

// receiver is a syslog server that takes one connection; got is all that came by it.
func receiver(t *testing.T, config *tls.Config) (address string, got <-chan string) {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	all := make(chan string, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b, _ := io.ReadAll(io.LimitReader(conn, 1<<16))
		all <- string(b)
	}()

	return ln.Addr().String(), all
}

func TestSyslogSendsEachEventOverTLS(t *testing.T) {
	t.Parallel()
	server, client := certificate(t)
	address, got := receiver(t, server)
	if err := (&alarm.Syslog{Server: address, TLS: client, Host: "h"}).Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if text := <-got; !strings.Contains(text, " <81>1 2026-11-23T01:02:03.000Z h collimator - alarm-issue - \xEF\xBB\xBFfirst line second") {
		t.Errorf("%q", text)
	}
}
