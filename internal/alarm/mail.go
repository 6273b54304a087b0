package alarm

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"net/textproto"
	"slices"
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
	Token    *Tokens // in place of Password, for XOAUTH2; nil: none
	Host     string  // name of this machine, with which it greets; empty is localhost
	TLS      *tls.Config
}

var _ Channel = (*Mail)(nil)

// Name implements Channel.
func (m *Mail) Name() string { return "mail " + m.Server }

// Send implements Channel. Where the server takes some of the recipients, these
// get it, and the error is a *PartialError that names the others.
func (m *Mail) Send(ctx context.Context, msg Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()

	err := m.send(ctx, msg)
	if errors.Is(err, errOldToken) { // the server ends the connection, too
		err = m.send(ctx, msg)
	}
	return err
}

// errOldToken is of a mail that a server refused for a token which was kept from an
// earlier one, and is dropped now: with another it may be taken.
var errOldToken = fault.New(fault.Denied, "alarm: the mail server does not take the token that was kept; the next try fetches another")

// send sends one message on a connection of its own, which ends with ctx.
func (m *Mail) send(ctx context.Context, msg Message) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return unreached("the mail server "+m.Server, "alarms.mail", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	c, err := m.client(ctx, conn)
	if err != nil {
		return err
	}

	if m.User != "" {
		if err := m.signIn(ctx, c); err != nil {
			return err
		}
	}
	return m.transfer(c, msg)
}

// signIn signs in with a token by XOAUTH2, or with a password by PLAIN, or by
// LOGIN where the server offers nothing else.
func (m *Mail) signIn(ctx context.Context, c *smtp.Client) error {
	host, _, _ := net.SplitHostPort(m.Server)
	_, offered := c.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))

	var way smtp.Auth
	refused := func() error { return nil } // what else follows from a refusal
	switch {
	case m.Token != nil && !slices.Contains(ways, "XOAUTH2"):
		return fault.Newf(fault.Unsupported, "alarm: the mail server takes no token by XOAUTH2; it offers: %s",
			line(strings.Join(ways, " ")))
	case m.Token != nil:
		token, fresh, err := m.Token.Get(ctx)
		if err != nil {
			return err
		}
		way = &tokenAuth{m.User, token}
		refused = func() error {
			m.Token.Drop(ctx, token)
			if fresh {
				return nil
			}
			return errOldToken
		}
	case slices.Contains(ways, "PLAIN"):
		way = smtp.PlainAuth("", m.User, m.Password, host)
	case slices.Contains(ways, "LOGIN"):
		way = &loginAuth{m.User, m.Password}
	default:
		return fault.Newf(fault.Unsupported,
			"alarm: the mail server takes no user and password by PLAIN or LOGIN; it offers: %s",
			line(strings.Join(ways, " ")))
	}

	err := c.Auth(way)
	if err == nil {
		return nil
	}

	if said, ok := errors.AsType[*textproto.Error](err); !ok || said.Code < 500 { // 4xx is for the moment
		return fault.Newf(fault.Unavailable, "alarm: the mail server lets nobody in now: %s", reply(err))
	}

	if err := refused(); err != nil {
		return err
	}

	return fault.Newf(fault.Denied, "alarm: the mail server does not let %s in: %s", line(m.User), reply(err))
}

// loginAuth is the mechanism LOGIN (draft-murchison-sasl-login): the server asks
// for the user and then for the password. The connection is TLS.
type loginAuth struct{ user, password string }

// Start implements smtp.Auth.
func (a *loginAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("alarm: no password without TLS")
	}
	return "LOGIN", nil, nil
}

// Next implements smtp.Auth.
func (a *loginAuth) Next(asked []byte, more bool) ([]byte, error) {
	switch question := strings.ToLower(string(asked)); {
	case !more:
		return nil, nil
	case strings.HasPrefix(question, "user"):
		return []byte(a.user), nil
	case strings.HasPrefix(question, "pass"):
		return []byte(a.password), nil
	}
	return nil, errors.New("alarm: the server asks for something else than user and password")
}

// client greets the server and makes sure of TLS: no message and no password goes out
// without. The caller closes conn.
func (m *Mail) client(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	host, _, _ := net.SplitHostPort(m.Server)
	config := m.TLS.Clone()
	config.ServerName = host

	if m.Implicit {
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, unreached("the mail server "+m.Server, "alarms.mail", err)
		}
		conn = secure
	}

	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, fault.New(fault.Unavailable,
			"alarm: the answer does not come from a mail server, or the server begins with TLS: set implicit_tls for port 465")
	}

	greeting := m.Host
	if greeting == "" {
		greeting = "localhost"
	}
	if err := c.Hello(greeting); err != nil {
		return nil, fault.Newf(fault.Unavailable,
			"alarm: the mail server refuses the name %s of this machine: %s", greeting, reply(err))
	}
	if m.Implicit {
		return c, nil
	}

	if ok, _ := c.Extension("STARTTLS"); !ok {
		return nil, fault.New(fault.Denied, "alarm: the mail server does not offer TLS (STARTTLS), and alarms are sent over TLS only")
	}
	if err := c.StartTLS(config); err != nil {
		return nil, unreached("the mail server "+m.Server, "alarms.mail", err)
	}
	return c, nil
}

func (m *Mail) transfer(c *smtp.Client, msg Message) error {
	refused := func(what string, err error) error {
		return fault.Newf(fault.Unavailable, "alarm: the mail server does not take %s: %s", what, reply(err))
	}

	if err := c.Mail(m.From); err != nil {
		return refused("the sender", err)
	}

	var left []string
	for _, to := range m.To {
		if err := c.Rcpt(to); err != nil {
			left = append(left, to+" ("+reply(err)+")")
		}
	}
	if len(left) == len(m.To) {
		return fault.Newf(fault.Unavailable, "alarm: the mail server takes no recipient: %s", strings.Join(left, ", "))
	}

	w, err := c.Data()
	if err != nil {
		return refused("the message", err)
	}

	body, err := m.letter(msg)
	if err != nil {
		return err
	}
	if _, err = w.Write(body); err == nil {
		err = w.Close() // waits for the server to take it
	}

	if err != nil {
		return refused("the message", err)
	}

	c.Quit() // taken already; how the connection ends does not matter

	if len(left) > 0 {
		return &PartialError{Channel: m.Name(), Left: left}
	}
	return nil
}

// reply is what a server answered, its code and the first of its words.
func reply(err error) string {
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		text := line(fmt.Sprintf("%d %s", said.Code, said.Msg))
		return text[:min(len(text), 120)]
	}
	return "the connection ended"
}

// letter is the message in the form of RFC 5322, marked as sent by a machine
// (RFC 3834 5).
func (m *Mail) letter(msg Message) ([]byte, error) {
	var b bytes.Buffer
	_, domain, _ := strings.Cut(m.From, "@")
	id := make([]byte, 12)
	rand.Read(id) // never returns an error (crypto/rand)

	for _, h := range [][2]string{
		{"From", m.From},
		{"To", strings.Join(m.To, ", ")},
		{"Subject", mime.QEncoding.Encode("utf-8", "["+msg.Severity+"] "+line(msg.Title))},
		{"Date", msg.At.UTC().Format(time.RFC1123Z)},
		{"Message-ID", "<" + hex.EncodeToString(id) + "@" + domain + ">"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
		{"Auto-Submitted", "auto-generated"},
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
