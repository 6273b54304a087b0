package places

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// door is a listener with a room behind it that accepts all it gets.
type door struct {
	*testing.T
	*Room
	address  string
	accepted chan net.Conn
	refused  chan string
}

func open(t *testing.T, lim Limits) *door {
	t.Helper()
	lim.FirstByte, lim.Ask = time.Hour, 2*time.Hour // the tests end it themselves
	d := &door{T: t, Room: New(lim), accepted: make(chan net.Conn, 1000), refused: make(chan string, 1000)}
	d.Refused = func(_ net.Addr, reason string) { d.refused <- reason }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.address = ln.Addr().String()
	ln = d.Listen(ln)
	t.Cleanup(func() { ln.Close() })
	go func() { // ends with the listener
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			d.accepted <- c
		}
	}()
	return d
}

// dial connects from an address of the loopback network and gives both ends.
func (d *door) dial(from string) (client, server net.Conn) {
	d.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	client, err := dialer.Dial("tcp", d.address)
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { client.Close() })
	select {
	case server = <-d.accepted:
	case <-time.After(10 * time.Second):
		d.Fatal("not accepted")
	}
	return client, server
}

// ended reports that a connection was closed from the other side.
func ended(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := c.Read(make([]byte, 1))
	if err == nil {
		return false
	}
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

func small() Limits {
	return Limits{Strangers: 8, Known: 4, StrangersPerAddress: 8, Admitted: 3, AdmittedPerAddress: 2}
}

func TestACrowdOfSilentStrangersCostsItsOwnPlacesOnly(t *testing.T) {
	t.Parallel()
	d := open(t, small())
	device, server := d.dial("127.0.0.9")

	var crowd []net.Conn
	for i := range 40 {
		c, _ := d.dial([]string{"127.0.0.2", "127.0.0.3"}[i%2])
		crowd = append(crowd, c)
	}
	if !ended(crowd[0]) {
		t.Error("the oldest of the crowd still has its place")
	}
	if u := d.Usage(); u.Strangers != 8 {
		t.Errorf("%+v", u)
	}

	// The one that came first of all, from an address of its own, goes on.
	if _, err := device.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if !d.Admit(server.RemoteAddr()) || d.Usage().Admitted != 1 {
		t.Errorf("not admitted: %+v", d.Usage())
	}
}

func TestOfOneAddressTheSilentGiveWayBeforeThoseThatSpoke(t *testing.T) {
	t.Parallel()
	d := open(t, small())
	spoke, server := d.dial("127.0.0.2")
	spoke.Write([]byte{1})
	io.ReadFull(server, make([]byte, 1))
	silent, _ := d.dial("127.0.0.2")
	for range 6 {
		d.dial("127.0.0.2")
	}

	d.dial("127.0.0.3")
	if !ended(silent) {
		t.Error("the silent one has its place")
	}
	if _, err := spoke.Write([]byte{1}); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
		t.Errorf("the one that spoke lost its place: %v", err)
	}
}

func TestKnownAddressesHavePlacesOfTheirOwn(t *testing.T) {
	t.Parallel()
	d := open(t, small())
	d.Remember(netip.MustParseAddr("127.0.0.9"))
	for i := range 64 { // each from an address of its own: none has more than the device
		d.dial(netip.AddrFrom4([4]byte{127, 0, 1, byte(i)}).String())
	}
	_, server := d.dial("127.0.0.9")
	for i := range 64 {
		d.dial(netip.AddrFrom4([4]byte{127, 0, 2, byte(i)}).String())
	}
	if u := d.Usage(); u.Known != 1 || u.Strangers != 8 {
		t.Errorf("%+v", u)
	}
	if !d.Admit(server.RemoteAddr()) {
		t.Error("not admitted")
	}
}

func TestAdmittedPlacesAreBoundedInAllAndByAddress(t *testing.T) {
	t.Parallel()
	d := open(t, small())
	admit := func(from string) (net.Conn, bool) {
		_, server := d.dial(from)
		return server, d.Admit(server.RemoteAddr())
	}
	first, ok := admit("127.0.0.2")
	if _, second := admit("127.0.0.2"); !ok || !second {
		t.Fatal("two of one address")
	}
	third, ok := admit("127.0.0.2")
	if ok {
		t.Error("three of one address")
	}
	third.Close()
	if _, ok := admit("127.0.0.3"); !ok {
		t.Error("another address")
	}
	if _, ok := admit("127.0.0.4"); ok {
		t.Error("four in all")
	}
	first.Close()
	first.Close()
	if _, ok := admit("127.0.0.5"); !ok {
		t.Error("a place that was left")
	}
}

func TestWhoSaysNothingOrAsksForNothingIsEnded(t *testing.T) {
	t.Parallel()
	d := open(t, small())
	silent, server := d.dial("127.0.0.2")
	server.(*Conn).silent()
	if !ended(silent) {
		t.Error("the silent one goes on")
	}

	client, server := d.dial("127.0.0.2")
	client.Write([]byte{1})
	io.ReadFull(server, make([]byte, 1))
	c := server.(*Conn)
	c.silent() // it spoke
	c.idle()
	if !ended(client) {
		t.Error("one that asks for nothing goes on")
	}

	client, server = d.dial("127.0.0.2")
	if c = server.(*Conn); !d.Admit(server.RemoteAddr()) {
		t.Fatal("not admitted")
	}
	c.idle()
	if _, err := client.Write([]byte{1}); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
		t.Errorf("somebody was admitted here: %v", err)
	}
	server.Close()
	if u := d.Usage(); u != (Usage{}) || len(d.by) != 0 || len(d.at) != 0 {
		t.Errorf("at the end %+v, %d addresses", u, len(d.by))
	}
	if len(d.refused) != 2 {
		t.Errorf("%d refusals were told", len(d.refused))
	}
}

func TestTheLastOfAnAddressGivesWayToAnotherOfIt(t *testing.T) {
	t.Parallel()
	lim := small()
	lim.Strangers = 2
	d := open(t, lim)
	oldest, _ := d.dial("127.0.0.2")
	d.dial("127.0.0.3")
	_, server := d.dial("127.0.0.2")
	if !ended(oldest) {
		t.Fatal("the oldest did not give way")
	}
	if u := d.Usage(); u.Strangers != 2 {
		t.Errorf("%+v", u)
	}
	server.Close()
	if u := d.Usage(); u.Strangers != 1 {
		t.Errorf("%+v after one ended", u)
	}
}

func TestAnAddressThatIsRefusedIsNotRemembered(t *testing.T) {
	t.Parallel()
	lim := small()
	lim.Strangers = 1
	d := open(t, lim)
	_, server := d.dial("127.0.0.2")
	d.ConnState(server, http.StateActive)
	for _, from := range []string{"127.0.0.3", "127.0.0.4", "127.0.0.5"} {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", d.address)
		if err != nil {
			t.Fatal(err)
		}
		if <-d.refused; !ended(c) {
			t.Error("not refused")
		}
		c.Close()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.by) != 1 {
		t.Errorf("%d addresses are counted, want the one that has a connection", len(d.by))
	}
}
