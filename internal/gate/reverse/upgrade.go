package reverse

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate/maintenance"
	"collimator/internal/guard"
)

// carriedMost is how long a connection of RFC 6455 lasts, and carriedIdle how long nothing may go
// through it.
const (
	carriedMost = 4 * time.Hour
	carriedIdle = 10 * time.Minute
)

// asksUpgrade reports a request for another protocol (RFC 9110 7.8).
func asksUpgrade(r *http.Request) bool {
	return len(r.Header.Values("Upgrade")) > 0 || lists(r.Header.Values("Connection"), "upgrade")
}

// isWebSocket reports the one way to ask for it that every parser reads alike (RFC 6455 4.1).
func isWebSocket(r *http.Request) bool {
	up := r.Header.Values("Upgrade")
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && r.ProtoMinor == 1 && r.ContentLength == 0 && len(r.TransferEncoding) == 0 &&
		len(up) == 1 && strings.EqualFold(up[0], "websocket") && lists(r.Header.Values("Connection"), "upgrade") &&
		strings.EqualFold(r.Header.Get("Origin"), "https://"+r.Host) &&
		len(r.Header.Values("Sec-Websocket-Key")) == 1 && r.Header.Get("Sec-Websocket-Version") == "13"
}

// lists reports whether a header of lists has a word (RFC 9110 5.6.1).
func lists(lines []string, word string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(lines, ","), ","), func(item string) bool {
		return strings.EqualFold(strings.TrimSpace(item), word)
	})
}

// upgrade makes a connection to the system behind and carries bytes, until one side, the right to
// it or its time ends.
func (a *asked) upgrade(ctx context.Context, rq *http.Request) guard.PageOutcome {
	ctx, cancel := context.WithTimeout(ctx, carriedMost)
	defer cancel()
	for _, name := range []string{"Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Protocol"} {
		if text := a.r.Header.Get(name); text != "" && len(text) <= valueMost {
			rq.Header.Set(name, text)
		}
	}
	rq.Header.Set("Connection", "Upgrade")
	rq.Header.Set("Upgrade", "websocket")
	rq.Header.Set("Origin", a.x.to.String())

	behind, rsp, err := a.x.switched(ctx, rq)
	if err != nil {
		return guard.PageOutcome{Err: a.unanswered(ctx, err)}
	}
	client, err := a.takeOver(rsp)
	if err != nil {
		behind.Close()
		return guard.PageOutcome{Err: err}
	}

	t, why := maintenance.Carry(client, behind, ctx.Done(), carriedIdle)
	if why == "" {
		why = "the right to it, or its time, has ended"
	}
	a.x.s.Log.Debug("a websocket ended", "route", a.x.Name, "why", why)
	return guard.PageOutcome{Status: http.StatusSwitchingProtocols, Sent: t.FromTarget}
}

// switched asks the system behind for the protocol, while ctx lasts.
func (x *site) switched(ctx context.Context, rq *http.Request) (net.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, x.wait())
	defer cancel()
	reached, err := x.reach(ctx, x.Behind())
	if err != nil {
		return nil, nil, err
	}
	conn := net.Conn(reached)
	if config := x.transport.TLSClientConfig; config != nil {
		conn = tls.Client(conn, config)
	}

	going := context.AfterFunc(ctx, func() { reached.Close() })
	behind, rsp, err := askSwitch(conn, rq)
	if !going() {
		err = context.Cause(ctx)
	}
	if err != nil {
		reached.Close()
		return nil, nil, err
	}
	reached.wait = carriedIdle
	return behind, rsp, nil
}

// askSwitch asks for the protocol on a connection. What comes before the connection switches is as
// long as a header may be.
func askSwitch(conn net.Conn, rq *http.Request) (net.Conn, *http.Response, error) {
	if err := rq.Write(conn); err != nil {
		return nil, nil, err
	}
	head := &io.LimitedReader{R: conn, N: headerMost}
	in := bufio.NewReaderSize(head, headMost)
	rsp, err := http.ReadResponse(in, rq)
	if err != nil {
		return nil, nil, err
	}
	if rsp.StatusCode != http.StatusSwitchingProtocols || !strings.EqualFold(rsp.Header.Get("Upgrade"), "websocket") {
		return nil, nil, withStatus(http.StatusBadGateway, fault.Unavailable, "the system behind does not switch to WebSocket")
	}
	head.N = math.MaxInt64
	return &bufferedConn{conn, in}, rsp, nil
}

// bufferedConn is a connection of which something was read already.
type bufferedConn struct {
	net.Conn
	in *bufio.Reader
}

// Read implements net.Conn.
func (c *bufferedConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// takeOver switches the connection of the browser.
func (a *asked) takeOver(rsp *http.Response) (net.Conn, error) {
	conn, rw, err := http.NewResponseController(a.w).Hijack()
	if err != nil {
		return nil, withStatus(http.StatusBadRequest, fault.Invalid, "this connection cannot be switched")
	}
	h := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	for _, name := range []string{"Sec-Websocket-Accept", "Sec-Websocket-Protocol"} {
		if text := rsp.Header.Get(name); text != "" {
			h.Set(name, text)
		}
	}
	fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\n")
	err = h.Write(rw)
	fmt.Fprint(rw, "\r\n")
	if err == nil {
		err = rw.Flush()
	}
	if err != nil || rw.Reader.Buffered() > 0 {
		conn.Close()
		return nil, fault.New(fault.Unavailable, "reverse: the browser was gone")
	}
	return conn, conn.SetDeadline(time.Time{})
}
