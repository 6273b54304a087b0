package maintenance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"time"

	"collimator/internal/fault"
	"collimator/internal/shown"
	"collimator/internal/tlsprofile"
)

// Protocol is what a connection of HTTP/1.1 is made into to carry TCP.
const Protocol = "collimator-door"

// Bounds of a client.
const (
	answerMost = 64 << 10         // bytes of an answer
	askMost    = 30 * time.Second // for an answer
)

// Client comes through a door, on the machine of the person for whom it was opened. The
// server is known by the certificate that the code names, and no other is spoken to.
// Nothing of the session is kept on a disk.
type Client struct {
	code Code
	http *http.Client
	tls  *tls.Config
	jar  http.CookieJar
}

// NewClient makes a client for a code. dial opens connections to the server; nil is TCP.
func NewClient(code Code, dial func(ctx context.Context, network, address string) (net.Conn, error)) *Client {
	config := tlsprofile.AssociationClient(nil, tlsprofile.Trust{Fingerprints: []string{code.Fingerprint}})
	config.NextProtos = []string{"http/1.1"} // a connection of HTTP/2 is not taken over
	if host, _, err := net.SplitHostPort(code.Address); err == nil && net.ParseIP(host) == nil {
		config.ServerName = host // by which a server with several certificates chooses
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialMost}).DialContext
	}

	jar, _ := cookiejar.New(nil) // never fails without options
	transport := &http.Transport{
		TLSClientConfig: config, DialContext: dial, ResponseHeaderTimeout: askMost, MaxResponseHeaderBytes: answerMost,
		TLSHandshakeTimeout: dialMost,
	}
	return &Client{code: code, tls: config, jar: jar, http: &http.Client{
		Jar: jar, Transport: transport, Timeout: askMost,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// SignIn shows a password and a code of an authenticator app.
func (c *Client) SignIn(ctx context.Context, name, password string, factor func() (string, error)) error {
	var state struct{ State string }
	if err := c.ask(ctx, http.MethodPost, "/session/password", map[string]string{"name": name, "password": password}, &state); err != nil {
		return err
	}
	switch state.State {
	case "second-factor":
	case "enrol":
		return fault.Newf(fault.Denied, "there is no authenticator app yet: sign in at https://%s/setup/ in a browser and set one up",
			c.code.Address)
	default:
		return fault.New(fault.Denied, "a door needs a second factor, and this server asks for none")
	}

	code, err := factor()
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, "/session/totp", map[string]string{"code": code}, &state)
}

// Entered is the door of a client.
type Entered struct {
	Number      int64
	Route       string
	Target      string
	Until       time.Time
	SecondsLeft int
}

// Enter shows the code of the door.
func (c *Client) Enter(ctx context.Context) (x Entered, err error) {
	if err := c.ask(ctx, http.MethodPost, "/door", map[string]string{"code": c.code.Secret}, &x); err != nil {
		return x, err
	}
	if _, err := parseTarget("target", x.Target); err != nil { // it is shown on a terminal
		return x, fault.Newf(fault.Unavailable, "what %s says of the door cannot be read", c.code.Address)
	}
	return x, nil
}

// Door asks whether the door is there, which the server wants to hear every AskEvery.
func (c *Client) Door(ctx context.Context) (x Entered, err error) {
	err = c.ask(ctx, http.MethodGet, "/door", nil, &x)
	return x, err
}

// Leave closes the door and signs out.
func (c *Client) Leave(ctx context.Context) error {
	err := c.ask(ctx, http.MethodDelete, "/door", nil, nil)
	if fault.Of(err) == fault.NotFound { // it was over
		err = nil
	}
	return errors.Join(err, c.ask(ctx, http.MethodDelete, "/session", nil, nil))
}

const api = "/api/v1"

// ask sends one request; a refusal is an error with the kind of its status.
func (c *Client) ask(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(b)
	}
	rq, err := http.NewRequestWithContext(ctx, method, "https://"+c.code.Address+api+path, content)
	if err != nil {
		return errNoCode
	}
	if body != nil {
		rq.Header.Set("Content-Type", "application/json")
	}

	rsp, err := c.http.Do(rq)
	if err != nil {
		return c.unanswered(err)
	}
	defer rsp.Body.Close()
	if rsp.StatusCode >= 300 {
		return refusal(rsp)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(rsp.Body, answerMost)).Decode(answer); err != nil {
		return fault.Newf(fault.Unavailable, "what %s answers cannot be read", c.code.Address)
	}
	return nil
}

// unanswered says why there was no answer.
func (c *Client) unanswered(err error) error {
	if errors.Is(err, tlsprofile.ErrUntrusted) {
		return fault.Newf(fault.Denied, "%s shows another certificate than the code names: somebody may be in between, "+
			"or it has a new one; ask for another code", c.code.Address)
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Newf(fault.Unavailable, "%s does not answer: %v", c.code.Address, err)
}

// refusal is the error that an answer tells of.
func refusal(rsp *http.Response) error {
	var p struct{ Detail string }
	_ = json.NewDecoder(io.LimitReader(rsp.Body, answerMost)).Decode(&p) // an answer without is told by its status
	if p.Detail == "" {
		p.Detail = "the server answers " + rsp.Status
	}
	p.Detail = shown.Text(p.Detail) // who gave the code named the server, and may be anybody

	kind := fault.Unavailable
	switch rsp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = fault.Denied
	case http.StatusNotFound:
		kind = fault.NotFound
	case http.StatusTooManyRequests:
		kind = fault.Busy
	}
	return fault.Newf(kind, "%s", p.Detail)
}

// Connect opens a connection to the target of the door.
func (c *Client) Connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, askMost)
	defer cancel()
	plain, err := c.http.Transport.(*http.Transport).DialContext(ctx, "tcp", c.code.Address)
	if err != nil {
		return nil, c.unanswered(err)
	}

	conn := tls.Client(plain, c.tls)
	switched, err := c.upgrade(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return switched, nil
}

func (c *Client) upgrade(ctx context.Context, conn *tls.Conn) (net.Conn, error) {
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, c.unanswered(err)
	}
	if err := conn.SetDeadline(time.Now().Add(askMost)); err != nil {
		return nil, err
	}

	rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+c.code.Address+api+"/door/connection", nil)
	if err != nil {
		return nil, errNoCode
	}
	for _, cookie := range c.jar.Cookies(rq.URL) {
		rq.AddCookie(cookie)
	}
	rq.Header.Set("Connection", "Upgrade")
	rq.Header.Set("Upgrade", Protocol)
	if err := rq.Write(conn); err != nil {
		return nil, c.unanswered(err)
	}
	return c.switched(conn, rq)
}

// switched reads the answer that switches. What the target said at once may have come
// with it.
func (c *Client) switched(conn *tls.Conn, rq *http.Request) (net.Conn, error) {
	bounded := &io.LimitedReader{R: conn, N: answerMost}
	in := bufio.NewReader(bounded)
	rsp, err := http.ReadResponse(in, rq)
	if err != nil {
		return nil, fault.Newf(fault.Unavailable, "what %s answers cannot be read", c.code.Address)
	}
	if rsp.StatusCode != http.StatusSwitchingProtocols {
		defer rsp.Body.Close()
		return nil, refusal(rsp)
	}
	if rsp.Header.Get("Upgrade") != Protocol {
		return nil, fault.Newf(fault.Unavailable, "%s is not a server with doors", c.code.Address)
	}

	early, err := in.Peek(in.Buffered())
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	return &afterEarly{Conn: conn, early: bytes.Clone(early)}, err
}

// afterEarly reads first what came with the answer.
type afterEarly struct {
	*tls.Conn
	early []byte
}

// Read implements io.Reader.
func (a *afterEarly) Read(p []byte) (int, error) {
	if len(a.early) > 0 {
		n := copy(p, a.early)
		a.early = a.early[n:]
		return n, nil
	}
	return a.Conn.Read(p)
}

// Serve takes connections of l, which the caller closes, and carries each to the target
// of the door, until ctx ends or the door is closed; then it returns why. It tells of
// connections that could not be opened.
func (c *Client) Serve(ctx context.Context, l net.Listener, tell func(error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()

	var going sync.WaitGroup
	defer going.Wait()
	defer cancel(nil)
	going.Go(func() { c.keepAsking(ctx, cancel) })

	places := make(chan struct{}, connectionsMost)
	for {
		local, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("take a connection: %w", err)
		}

		select {
		case places <- struct{}{}:
			going.Go(func() {
				defer func() { <-places }()
				if err := c.serve(ctx, local); fault.Of(err) == fault.NotFound { // the door is closed
					cancel(err)
				} else if err != nil {
					tell(err)
				}
			})
		default:
			local.Close()
			tell(errCrowded)
		}
	}
}

func (c *Client) serve(ctx context.Context, local net.Conn) error {
	remote, err := c.Connect(ctx)
	if err != nil {
		local.Close()
		return err
	}
	Carry(local, remote, ctx.Done(), idleMost)
	return nil
}

// keepAsking lets the server hear of the client, and ends it when the door is closed. A
// server that does not answer for a while is asked again.
func (c *Client) keepAsking(ctx context.Context, end context.CancelCauseFunc) {
	ticker := time.NewTicker(AskEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := c.Door(ctx); fault.Of(err) == fault.NotFound || fault.Of(err) == fault.Denied {
			end(err)
			return
		}
	}
}
