package alarm

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"collimator/internal/fault"
	"collimator/internal/syslog"
)

// Syslog sends each event as a message of RFC 5424 over TLS, on a connection of
// its own. The protocol has no receipt: a message counts as taken when the server
// ends the connection in order, or keeps it for some seconds. A server that
// refuses our certificate says so only after the handshake (TLS 1.3).
type Syslog struct {
	Server string // HOST:PORT
	TLS    *tls.Config
	Host   string // name of this machine
}

var _ Channel = (*Syslog)(nil)

// Name implements Channel.
func (s *Syslog) Name() string { return "syslog " + s.Server }

// severities of RFC 5424 6.2.1, with facility 10 (security).
var severities = map[string]int{"critical": 1, "high": 2, "medium": 4, "low": 5, "info": 6}

// Send implements Channel.
func (s *Syslog) Send(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()

	host, _, _ := net.SplitHostPort(s.Server)
	config := s.TLS.Clone()
	config.ServerName = host

	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", s.Server)
	if err != nil {
		return unreached(s.Name(), "alarms.syslog", err)
	}
	defer conn.Close()

	if err := conn.SetDeadline(time.Now().Add(sendTime)); err != nil {
		return err
	}

	for _, e := range m.Events {
		severity, ok := severities[e.Severity]
		if !ok {
			severity = 5
		}

		head := syslog.Header{Priority: 10*8 + severity, Time: e.At, Host: s.Host, App: "collimator", Message: "alarm-" + e.Kind}
		frame := syslog.Frame(head, line(e.Text))
		if _, err := conn.Write(frame); err != nil {
			return s.ended(lastWord(conn, err))
		}
	}

	return s.taken(conn.(*tls.Conn))
}

// settleTime is how long a server may keep the connection open after the last
// message until that counts as taken.
const settleTime = 5 * time.Second

// taken says that nothing more comes, and waits for the server to end.
func (s *Syslog) taken(conn *tls.Conn) error {
	if err := conn.CloseWrite(); err != nil {
		return s.ended(lastWord(conn, err))
	}
	if err := conn.SetReadDeadline(time.Now().Add(settleTime)); err != nil {
		return err
	}

	_, err := io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
	if late, ok := errors.AsType[net.Error](err); err == nil || ok && late.Timeout() {
		return nil
	}
	return s.ended(err)
}

// lastWord is why the server ended a connection into which we could not write:
// with TLS 1.3 it judges our certificate while we write already, and its alert is
// there to be read although the connection is broken. Without one it is err.
func lastWord(conn net.Conn, err error) error {
	if conn.SetReadDeadline(time.Now().Add(time.Second)) != nil {
		return err
	}

	_, said := io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
	if isAlert(said) {
		return said
	}
	return err
}

// isAlert reports an error that is an alert of TLS which the other side sent.
func isAlert(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "remote error"
}

// ended is a connection that the server ended with an alert or without a word.
func (s *Syslog) ended(err error) error {
	if alert, ok := errors.AsType[*net.OpError](err); ok && isAlert(err) {
		return fault.Newf(fault.Unavailable,
			"alarm: %s refused the connection (%v); it has to believe %s", s.Name(), alert.Err,
			"keys/ca.cert.pem of the data directory, or the authority of alarms.syslog.certificate")
	}
	return fault.Newf(fault.Unavailable, "alarm: %s ended the connection", s.Name())
}
