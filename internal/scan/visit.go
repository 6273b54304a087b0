package scan

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"collimator/internal/finding"
)

// errDistress ends the visit of a host that shows signs of distress.
var errDistress = errors.New("scan: the host shows signs of distress")

// visit asks one host, from one goroutine, with one connection at a time.
type visit struct {
	opt   *Options
	pace  *pace
	keys  *throwaway
	facts *finding.Facts
	title string // called AE title that the host itself told

	conns   int
	start   time.Time // of the visit
	open    bool      // a connection is open
	begun   bool
	first   map[string]time.Duration // time of the first answer of a port in a protocol
	answers map[uint16]bool          // ports that accepted a connection
}

func newVisit(opt *Options, p *pace, keys *throwaway, facts *finding.Facts) *visit {
	return &visit{
		start: time.Now(), opt: opt, pace: p, keys: keys, facts: facts,
		first: map[string]time.Duration{}, answers: map[uint16]bool{},
	}
}

// link is the one open connection of a visit. All reads and writes share its
// deadline.
type link struct {
	net.Conn
	v     *visit
	port  uint16
	start time.Time
}

// Close closes the connection; the visit may then open the next.
func (l *link) Close() error {
	if l.v.open {
		l.v.open = false
	}
	return l.Conn.Close()
}

// answered notes that an answer in a protocol is there. One that takes five
// times as long as the first, and two seconds or more, is a sign of distress.
func (l *link) answered(protocol string) {
	took := time.Since(l.start)
	key := fmt.Sprint(protocol, l.port)

	first, known := l.v.first[key]
	if !known {
		l.v.first[key] = took
		return
	}

	if took > 5*first && took > 2*time.Second {
		l.v.stop("port %d became slow: %s, at first %s", l.port, took.Round(time.Millisecond), first.Round(time.Millisecond))
	}
}

// unanswered notes that no answer came in time. From a service that answered
// in this protocol before it is a sign of distress.
func (l *link) unanswered(protocol string) {
	if _, known := l.v.first[fmt.Sprint(protocol, l.port)]; known && time.Since(l.start) > l.v.opt.Timeout*9/10 {
		l.v.stop("port %d does not answer any more", l.port)
	}
}

// stop notes why the host is left alone.
func (v *visit) stop(format string, args ...any) {
	if v.facts.Stopped == "" {
		v.facts.Stopped = "stopped early: " + fmt.Sprintf(format, args...)
	}
}

// maxVisit bounds the time for one host: one that answers everything slowly shall
// not keep the others waiting.
const maxVisit = 10 * time.Minute

// dial opens a connection to a port, when the one before is closed, after a
// pause. A port that accepted before and does not now is a sign of distress.
func (v *visit) dial(ctx context.Context, port uint16) (*link, error) {
	return v.dialNetwork(ctx, "tcp", port)
}

func (v *visit) dialNetwork(ctx context.Context, network string, port uint16) (*link, error) {
	switch {
	case v.facts.Stopped != "":
		return nil, errDistress
	case time.Since(v.start) > maxVisit:
		v.stop("the host took longer than %s", maxVisit)
		return nil, errDistress
	case v.open:
		return nil, errors.New("scan: a connection to this host is still open")
	}

	if err := v.opt.Scope.Allow(v.facts.Address); err != nil {
		return nil, err
	}

	if v.begun {
		if err := sleep(ctx, jitter(v.opt.Pause)); err != nil {
			return nil, err
		}
	}
	v.begun = true

	if err := v.pace.wait(ctx); err != nil {
		return nil, err
	}

	v.conns++
	start := time.Now()

	timeout := v.opt.ConnectTimeout
	if v.answers[port] {
		timeout = max(timeout, v.opt.Timeout)
	}
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	address := netip.AddrPortFrom(v.facts.Address, port).String()
	conn, err := v.opt.Dial(dialCtx, network, address)
	for n := 0; n < 6 && starved(err) && sleep(dialCtx, 50*time.Millisecond<<n) == nil; n++ {
		conn, err = v.opt.Dial(dialCtx, network, address)
	}

	if err != nil {
		if v.answers[port] && ctx.Err() == nil {
			v.stop("port %d accepts no connections any more", port)
			return nil, errDistress
		}
		return nil, err
	}

	if network == "tcp" {
		v.answers[port] = true
	}
	if err := conn.SetDeadline(time.Now().Add(v.opt.Timeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}

	v.open = true
	return &link{Conn: conn, v: v, port: port, start: start}, nil
}

// door opens connections to a service: plain, or with TLS and the throwaway
// certificate.
type door struct {
	v    *visit
	port uint16
	tls  bool
}

// open gives a connection on which nothing of the service's protocol was sent.
// Closing it closes what lies below.
func (d door) open(ctx context.Context) (net.Conn, *link, error) {
	l, err := d.v.dial(ctx, d.port)
	if err != nil || !d.tls {
		return l, l, err
	}

	cfg, err := d.v.keys.config(d.v.serverName(), nil)
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}

	conn := tls.Client(l, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	return conn, l, nil
}

// serverName is the host name for SNI; none for addresses.
func (v *visit) serverName() string { return v.facts.Name }

// readSome reads until the peer pauses after at least one byte, at most n bytes.
// It reads what one read brings, and so never waits for more than the first.
func readSome(r io.Reader, n int) []byte {
	b := make([]byte, n)
	got, _ := r.Read(b)
	return b[:max(got, 0)]
}
