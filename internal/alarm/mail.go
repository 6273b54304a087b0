package alarm

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"strings"
	"time"

	"collimator/internal/fault"
)

// sendTime bounds one try of a channel.
const sendTime = 30 * time.Second

// Mail sends by SMTP (RFC 5321) and never without TLS: at once (RFC 8314 3.3),
// or after STARTTLS (RFC 3207), without which nothing is sent.
type Mail struct {
	Server   string // HOST:PORT
	Implicit bool   // TLS at once
	From     string
	To       []string
	User     string // empty: without signing in
	Password string
	TLS      *tls.Config
}

var _ Channel = (*Mail)(nil)

// Name implements Channel.
func (m *Mail) Name() string { return "mail " + m.Server }

// Send implements Channel.
func (m *Mail) Send(ctx context.Context, msg Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return fault.Newf(fault.Unavailable, "alarm: the mail server %s is not reached", m.Server)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	c, err := m.client(ctx, conn)
	if err != nil {
		return err
	}
	if m.User != "" {
		host, _, _ := net.SplitHostPort(m.Server)
		if err := c.Auth(smtp.PlainAuth("", m.User, m.Password, host)); err != nil {
			return fault.New(fault.Denied, "alarm: the mail server does not take user and password")
		}
	}
	return m.transfer(c, msg)
}

// client greets the server and makes sure of TLS.
func (m *Mail) client(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	host, _, _ := net.SplitHostPort(m.Server)
	config := m.TLS.Clone()
	config.ServerName = host
	if m.Implicit {
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, fault.Wrap(fault.Unavailable, err, "alarm: TLS with the mail server; check alarms.mail.roots and the name of the server")
		}
		conn = secure
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "alarm: what answers is no mail server, or it speaks TLS at once (port 465, implicit_tls)")
	}
	if m.Implicit {
		return c, nil
	}
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return nil, fault.New(fault.Denied, "alarm: the mail server offers no TLS (STARTTLS), and nothing is sent without")
	}
	if err := c.StartTLS(config); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "alarm: TLS with the mail server; check alarms.mail.roots and the name of the server")
	}
	return c, nil
}

func (m *Mail) transfer(c *smtp.Client, msg Message) error {
	refused := func(what string) error {
		return fault.Newf(fault.Unavailable, "alarm: the mail server does not take %s", what)
	}
	if c.Mail(m.From) != nil {
		return refused("the sender")
	}
	for _, to := range m.To {
		if c.Rcpt(to) != nil {
			return refused("a recipient")
		}
	}
	w, err := c.Data()
	if err != nil {
		return refused("the message")
	}
	body, err := m.letter(msg)
	if err != nil {
		return err
	}
	if _, err = w.Write(body); err == nil {
		err = w.Close() // waits for the server to take it
	}
	if err != nil {
		return refused("the message")
	}
	c.Quit() // taken already; how the connection ends does not matter
	return nil
}

// letter is the message in the form of RFC 5322, marked as sent by a machine
// (RFC 3834 5).
func (m *Mail) letter(msg Message) ([]byte, error) {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(m.From, "@")
	id := make([]byte, 12)
	rand.Read(id) // never returns an error (crypto/rand)
	for _, h := range [][2]string{
		{"From", m.From}, {"To", strings.Join(m.To, ", ")}, {"Subject", mime.QEncoding.Encode("utf-8", "["+msg.Severity+"] "+line(msg.Title))},
		{"Date", msg.At.UTC().Format(time.RFC1123Z)}, {"Message-ID", "<" + hex.EncodeToString(id) + "@" + domain + ">"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"}, {"Auto-Submitted", "auto-generated"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	if _, err := q.Write([]byte(strings.ReplaceAll(msg.Text(), "\n", "\r\n"))); err != nil {
		return nil, err
	}
	return b.Bytes(), q.Close()
}
