package outward

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"
)

// Unanswered is an error of a connection that we opened, in words for a person.
type Unanswered struct {
	Text string
	Err  error // what the network said, for who asks by errors.Is
}

// Error is the text alone.
func (u *Unanswered) Error() string { return u.Text }

// Unwrap gives what the network said.
func (u *Unanswered) Unwrap() error { return u.Err }

// Explain says what went wrong with a connection to an address and what to look
// at. An error of another kind than of the network comes back as it is, and so does nil.
func Explain(address string, err error) error {
	reason := Reason(err)
	if reason == "" {
		return err
	}
	return &Unanswered{address + ": " + reason, err}
}

// Reason is why a connection that we opened came to nothing, and what to look at: a
// clause for a person, to stand behind a colon. It is empty where the error is not
// one of the network, and it repeats nothing of what the other side sent.
func Reason(err error) string {
	if text := untrusted(err); text != "" {
		return text
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return "there is no such name (DNS); look at its spelling, and at the name server of this machine"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return "it refused the TLS connection; does it know our certificate?"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "what answers there does not speak TLS; is the port right?"
	}

	for _, c := range []struct {
		is     error
		reason string
	}{
		{syscall.ECONNREFUSED, "nobody listens there (connection refused); is the program running, and are address and port right?"},
		{syscall.EHOSTUNREACH, "there is no way to this address (no route to host); look at the network and at firewalls"},
		{syscall.ENETUNREACH, "there is no way to this network; look at the network of this machine"},
		{syscall.ECONNRESET, "the connection was cut before it answered; is it the right port, and is a firewall between?"},
		{syscall.EPIPE, "the connection was cut before it answered; is it the right port, and is a firewall between?"},
		{context.DeadlineExceeded, "no answer in time; look at the network, at firewalls and at the program there"},
		{io.EOF, "the connection was ended before it answered; is it the right port?"},
		{io.ErrUnexpectedEOF, "the connection was ended before it answered; is it the right port?"},
	} {
		if errors.Is(err, c.is) {
			return c.reason
		}
	}
	return overNetwork(err)
}

// overNetwork is for errors of the network that have no word of their own, and for
// those that files have, too: they are of a connection only where one was opened.
func overNetwork(err error) string {
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return "no answer in time; look at the network, at firewalls and at the program there"
	}

	_, connection := errors.AsType[*net.OpError](err)
	_, name := errors.AsType[*net.DNSError](err)
	switch {
	case connection && errors.Is(err, fs.ErrPermission):
		return "this account may not connect to it"
	case connection && errors.Is(err, fs.ErrNotExist):
		return "there is nothing at this place; is the program running?"
	case connection, name:
		return "it was not reached; look at the network and at the name server of this machine"
	}
	return ""
}

// untrusted says why a certificate is not believed; empty where that is not what
// went wrong.
func untrusted(err error) string {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name; call it by a name that stands in it"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "its certificate has expired or is not valid yet; look at the clocks, too"
	}

	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, other := errors.AsType[*tls.CertificateVerificationError](err)
	if unknown || other {
		return "its certificate is not believed; name its authority in the setting roots"
	}
	return ""
}
