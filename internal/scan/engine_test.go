package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/finding"
)

// watcher is the network of a test: it dials for real and counts how many
// connections are open to a host at a time, and keeps the first write of each.
type watcher struct {
	mu     sync.Mutex
	open   map[string]int
	most   int
	total  int
	firsts [][]byte
}

func (w *watcher) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	w.mu.Lock()
	if w.open == nil {
		w.open = map[string]int{}
	}
	w.open[host]++
	w.most = max(w.most, w.open[host])
	w.total++
	w.mu.Unlock()
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		w.gone(host)
		return nil, err
	}
	return &watched{Conn: c, w: w, host: host}, nil
}

func (w *watcher) gone(host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[host]--
}

type watched struct {
	net.Conn
	w      *watcher
	host   string
	once   sync.Once
	writes int
}

func (c *watched) Write(b []byte) (int, error) {
	if c.writes++; c.writes == 1 {
		c.w.mu.Lock()
		c.w.firsts = append(c.w.firsts, bytes.Clone(b))
		c.w.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *watched) Close() error {
	c.once.Do(func() { c.w.gone(c.host) })
	return c.Conn.Close()
}

// service listens on a loopback address and counts connections that the other
// side did not end.
func service(t *testing.T, address string, talk func(net.Conn)) *atomic.Int64 {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var open atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			open.Add(1)
			wg.Go(func() {
				defer open.Add(-1)
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				talk(c)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return &open
}

// entity answers associations; it accepts every called title, and queries.
func entity(c net.Conn) {
	for {
		pdu, err := nextPDU(c)
		if err != nil {
			return
		}
		var out ul.PDU
		switch pdu := pdu.(type) {
		case *ul.AssociateRQ:
			if pdu.ProtocolVersion&1 == 0 {
				out = ul.AssociateRJ{Result: 1, Source: 2, Reason: 2}
				break
			}
			ac := &ul.AssociateAC{CalledAETitle: pdu.CalledAETitle, CallingAETitle: pdu.CallingAETitle, User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3", ImplementationVersionName: "TEST"}}
			for _, pc := range pdu.Contexts {
				ac.Contexts = append(ac.Contexts, ul.AcceptedContext{ID: pc.ID, TransferSyntax: pc.TransferSyntaxes[0]})
			}
			out = ac
		case ul.ReleaseRQ:
			out = ul.ReleaseRP{}
		case *ul.PDataTF:
			if !pdu.Values[0].Command {
				continue
			}
			c.Write(success(pdu.Values[0]))
			continue
		default:
			return
		}
		b, _ := out.AppendTo(nil)
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

func nextPDU(r io.Reader) (ul.PDU, error) {
	head := make([]byte, ul.HeaderLength)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	h, err := ul.ParseHeader(head, ul.Limits{})
	if err != nil {
		return nil, err
	}
	body := make([]byte, h.Length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return ul.DecodeBody(h.Type, body, ul.Limits{})
}

func success(v ul.PDV) []byte {
	cmd, err := dimse.DecodeCommand(v.Data)
	if err != nil {
		return nil
	}
	cmd.Response, cmd.HasDataSet = true, false
	return message(v.ContextID, cmd, nil)
}

func targets(t *testing.T, list ...string) []Target {
	t.Helper()
	var out []Target
	for _, s := range list {
		more, err := ParseTarget(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, more...)
	}
	return out
}

func run(t *testing.T, opt Options) *Result {
	t.Helper()
	opt.Pause = time.Millisecond
	r, err := Run(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOneConnectionToAHostAtATimeAndTheFirstWriteIsAWholePDU(t *testing.T) {
	t.Parallel()
	var opens []*atomic.Int64
	for _, a := range []string{"127.90.1.1:104", "127.90.1.1:11112", "127.90.1.1:4242", "127.90.1.2:104"} {
		opens = append(opens, service(t, a, entity))
	}
	w := &watcher{}
	r := run(t, Options{Targets: targets(t, "127.90.1.0/29"), Dial: w.dial, NoHost: true})
	if len(r.Hosts) != 2 || len(r.Hosts[0].Facts.Services) != 3 {
		t.Fatalf("%d hosts", len(r.Hosts))
	}
	if w.most != 1 {
		t.Errorf("%d connections were open to a host at a time", w.most)
	}
	for _, first := range w.firsts {
		if first[0] != byte(ul.TypeAssociateRQ) {
			continue
		}
		if h, err := ul.ParseHeader(first, ul.Limits{}); err != nil || int(h.Length) != len(first)-ul.HeaderLength {
			t.Errorf("the first write holds %d bytes of a PDU of %d", len(first)-ul.HeaderLength, h.Length)
		}
	}
	d := r.Hosts[1].Facts.Services[0].DICOM
	if !d.Find.Allowed() || !d.Move.Allowed() || !d.Get.Allowed() || !d.Worklist.Allowed() || d.VersionName != "TEST" || !d.Private {
		t.Errorf("facts: %+v", d)
	}
	for n, open := range w.open {
		if open != 0 {
			t.Errorf("%d connections to %s were not closed", open, n)
		}
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var left int64
		for _, o := range opens {
			left += o.Load()
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections were left half open", left)
		}
	}
}

func TestAHostThatStopsAnsweringIsLeftAlone(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	service(t, "127.90.2.1:104", func(c net.Conn) {
		if n.Add(1) > 3 { // the first look, presence, one association
			io.Copy(io.Discard, c)
			return
		}
		entity(c)
	})
	w := &watcher{}
	r := run(t, Options{Targets: targets(t, "127.90.2.1:104,11112"), Dial: w.dial, Timeout: 300 * time.Millisecond})
	if len(r.Hosts) != 1 || !strings.HasPrefix(r.Hosts[0].Facts.Stopped, "stopped early: port 104 does not answer any more") {
		t.Fatalf("%+v", r.Hosts[0].Facts)
	}
	if w.total > 6 {
		t.Errorf("%d connections were made to a host in distress", w.total)
	}
}

func TestAScanThatWasBrokenOffGoesOn(t *testing.T) {
	t.Parallel()
	for _, a := range []string{"127.90.3.1:104", "127.90.3.200:104"} {
		service(t, a, entity)
	}
	state := filepath.Join(t.TempDir(), "state")
	ctx, cancel := context.WithCancel(t.Context())
	w := &watcher{}
	opt := Options{Targets: targets(t, "127.90.3.0/24"), Ports: []uint16{104}, HL7Ports: []uint16{}, NoHost: true, State: state, Sweeps: 1, Hosts: 1, Pause: time.Millisecond}
	opt.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		w.mu.Lock()
		n := w.total
		w.mu.Unlock()
		if n > 120 {
			cancel()
		}
		return w.dial(ctx, network, address)
	}
	first, err := Run(ctx, opt)
	if err == nil || !errors.Is(err, context.Canceled) || first.Looked >= 256 || first.Looked == 0 {
		t.Fatalf("looked at %d: %v", first.Looked, err)
	}
	second := &watcher{}
	opt.Dial = second.dial
	r := run(t, opt)
	if r.Looked < 256 || len(r.Hosts) != 2 {
		t.Errorf("looked at %d, %d hosts", r.Looked, len(r.Hosts))
	}
	if uint64(second.total) >= 256+40 {
		t.Errorf("the second run made %d connections, as if there had been no first", second.total)
	}
	opt.Ports = []uint16{105}
	if _, err := Run(t.Context(), opt); err == nil || !strings.Contains(err.Error(), "other targets or options") {
		t.Errorf("a state of another scan: %v", err)
	}
}

func TestHL7AndPrintersGetNoByte(t *testing.T) {
	t.Parallel()
	var got atomic.Int64
	talk := func(c net.Conn) {
		n, _ := io.Copy(io.Discard, c)
		got.Add(n)
	}
	service(t, "127.90.4.1:2575", talk)
	service(t, "127.90.4.1:9100", talk)
	r := run(t, Options{Targets: targets(t, "127.90.4.1"), Ports: []uint16{9100}, NoHost: true})
	if got.Load() != 0 {
		t.Errorf("%d bytes were sent", got.Load())
	}
	if len(r.Hosts) != 1 || len(r.Hosts[0].Facts.Services) != 2 {
		t.Fatalf("%+v", r.Hosts)
	}
}

func TestWhatIsNotDeclaredIsRefusedAndNothingIsSent(t *testing.T) {
	t.Parallel()
	public := Range{Range: Prefix{netip.MustParsePrefix("203.0.113.0/28")}, Owned: true}
	confirmedRange := public
	confirmedRange.Public = "confirmed by A. Admin on 2026-11-20"
	own := Range{Range: Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Owned: true}
	for _, c := range []struct {
		target string
		scope  Scope
		want   string
	}{
		{"10.1.2.3", Scope{}, "nobody declared 10.1.2.3 as yours"},
		{"203.0.113.5", Scope{}, "is a public address; scan only what is yours"},
		{"203.0.113.5", Scope{Ranges: []Range{public}}, "nobody confirmed that it is yours"},
		{"224.0.0.1", Scope{}, "not the address of a host"},
		{"10.1.0.0/15", Scope{Ranges: []Range{own}}, "nobody declared"},
		{"2001:db8::/32", Scope{}, "public"},
		{"fd00::/64", Scope{Ranges: []Range{{Range: Prefix{netip.MustParsePrefix("fd00::/48")}, Owned: true}}}, "too wide"},
	} {
		_, err := Run(t.Context(), Options{Targets: targets(t, c.target), Scope: &c.scope, Dial: func(context.Context, string, string) (net.Conn, error) {
			t.Errorf("%s: something was sent", c.target)
			return nil, errors.New("no")
		}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.target, err, c.want)
		}
		if _, explained := Explain(Options{Targets: targets(t, c.target), Scope: &c.scope}); explained == nil {
			t.Errorf("%s is explained", c.target)
		}
	}
	for _, s := range []*Scope{{Ranges: []Range{confirmedRange}}, {Ranges: []Range{own}}} {
		if err := s.Allow(s.Ranges[0].Range.Addr()); err != nil {
			t.Error(err)
		}
	}
	if err := (&Scope{}).Own(netip.MustParsePrefix("8.8.8.0/24")); err == nil {
		t.Error("a public range was declared with --own")
	}
	for _, text := range []string{"ranges: [{range: 10.0.0.0/8}]", "ranges: [{range: 8.0.0.0/8, owned: true}]", "ranges: [{range: 8.0.0.0/8, owned: true, public: yes}]", "colour: red"} {
		if _, err := ReadScope(strings.NewReader(text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestIPv6IsScanned(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("left out: no IPv6 here")
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); entity(c) }()
		}
	}()
	r := run(t, Options{Targets: targets(t, ln.Addr().String())})
	if len(r.Hosts) != 1 || r.Hosts[0].Facts.Services[0].Kind != finding.KindDICOM {
		t.Fatalf("%+v", r.Hosts)
	}
}

func TestEveryAddressComesOnceInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{1, 2, 3, 4, 5, 7, 16, 255, 256, 1000, 65536} {
		for _, seed := range []uint64{1, 2, 99, 1 << 62} {
			o, seen := newOrder(n, seed), map[uint64]bool{}
			for i := range n {
				seen[o.at(i)] = true
			}
			if uint64(len(seen)) != n {
				t.Errorf("%d of %d with seed %d", len(seen), n, seed)
			}
		}
	}
}

func TestResultsDoNotHoldCredentials(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(map[string]any{"c": NewCredential("user", "secret")})
	if err != nil || bytes.Contains(b, []byte("secret")) {
		t.Errorf("%s %v", b, err)
	}
}
