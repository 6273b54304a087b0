package alarm_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"collimator/internal/alarm"
)

func TestMailReachesThoseThatAreTakenAndNamesTheOthers(t *testing.T) {
	t.Parallel()
	server, client := certificate(t)
	for _, c := range []struct {
		to      []string
		partial bool
		taken   bool
	}{
		{[]string{"it@example.org", "gone@example.org", "night@example.org"}, true, true},
		{[]string{"gone@example.org"}, false, false},
	} {
		address, got := mailServer(t, server, true, false)
		m := &alarm.Mail{Server: address, Implicit: true, From: "c@example.org", To: c.to, TLS: client, Host: "pacs.example.org"}
		err := m.Send(t.Context(), message)
		text := <-got

		partial, ok := errors.AsType[*alarm.PartialError](err)
		if ok != c.partial || err == nil || !strings.Contains(err.Error(), "gone@example.org (550 5.1.1 no such user)") {
			t.Errorf("to %v: %v", c.to, err)
		}
		if ok && len(partial.Left) != 1 {
			t.Errorf("left out: %v", partial.Left)
		}
		if strings.Contains(text, "first line second") != c.taken {
			t.Errorf("to %v: the message arrived: %t", c.to, !c.taken)
		}
		if !strings.HasPrefix(text, "EHLO pacs.example.org") {
			t.Errorf("the greeting is %.40q", text)
		}
	}
}

func TestMailSignsInByLOGINWhereNothingElseIsOffered(t *testing.T) {
	t.Parallel()
	server, client := certificate(t)
	address, got := mailServerOffering(t, server, "LOGIN")
	m := &alarm.Mail{Server: address, Implicit: true, From: "c@example.org", To: []string{"s@example.org"}, User: "u", Password: "p", TLS: client}
	if err := m.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if text := <-got; !strings.Contains(text, "AUTH LOGIN") || !strings.Contains(text, "dQ==") || !strings.Contains(text, "cA==") {
		t.Errorf("it signed in by %q", text)
	}

	address, got = mailServerOffering(t, server, "GSSAPI")
	m.Server = address
	if err := m.Send(t.Context(), message); err == nil || !strings.Contains(err.Error(), "it offers: GSSAPI") {
		t.Errorf("%v", err)
	}
	<-got
}

// mailServerOffering is mailServer with TLS at once and one way to sign in.
func mailServerOffering(t *testing.T, config *tls.Config, way string) (string, chan string) {
	t.Helper()
	return mailServerOver(t, config, false, func(conn net.Conn) net.Conn {
		return &offering{Conn: tls.Server(conn, config), way: way}
	})
}

// offering changes the way to sign in that a server offers.
type offering struct {
	net.Conn
	way string
}

func (o *offering) Write(p []byte) (int, error) {
	if _, err := io.WriteString(o.Conn, strings.Replace(string(p), "AUTH PLAIN", "AUTH "+o.way, 1)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// TestSyslogThatRefusesOurCertificateIsNotCountedAsTold: with TLS 1.3 the server
// judges after the client's handshake is over.
func TestSyslogThatRefusesOurCertificateIsNotCountedAsTold(t *testing.T) {
	t.Parallel()
	server, client := certificate(t)
	for _, refuses := range []bool{true, false} {
		config := server.Clone()
		if refuses {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		}
		address, got := receiver(t, config)

		own := client.Clone()
		own.Certificates = server.Certificates
		s := &alarm.Syslog{Server: address, TLS: own, Host: "pacs"}
		err := s.Send(t.Context(), message)
		if (err != nil) != refuses {
			t.Errorf("the server refuses: %t; Send says %v", refuses, err)
		}
		if text := <-got; strings.Contains(text, "alarm-issue") == refuses {
			t.Errorf("the server refuses: %t; it got %q", refuses, text)
		}
		if refuses && !strings.Contains(fmt.Sprint(err), "ca.cert.pem") {
			t.Errorf("%v does not say what to do", err)
		}
	}
}
