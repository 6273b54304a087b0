// Package places decides who may hold a connection. Each door has a Room with a
// small number of places for connections on which nobody was admitted yet, and
// the others for those on which somebody was. Where the small number is used up,
// a stranger gives way: one of the address that has most of them, and of these
// the one that has been silent longest. So a crowd costs its own places and
// nobody else's. Addresses from which somebody was admitted
// before have places of their own to ask in, so that no crowd of strangers
// keeps them out.
package places

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Limits of a Room. Each is needed.
type Limits struct {
	// Strangers is how many connections may be open on which nobody was admitted
	// yet, Known how many more of them from addresses that are known, and
	// StrangersPerAddress how many of either from one address.
	Strangers, Known, StrangersPerAddress int
	// Admitted is how many connections may be open on which somebody was admitted,
	// AdmittedPerAddress how many of them from one address.
	Admitted, AdmittedPerAddress int
	// FirstByte is how long a connection may be silent at its start, and Ask how
	// long it may last without asking for anything.
	FirstByte, Ask time.Duration
}

// Total is how many connections a Room with these limits can have.
func (l Limits) Total() int { return l.Strangers + l.Known + l.Admitted }

// Room is the places behind one door. Safe for concurrent use.
type Room struct {
	lim Limits
	// Refused, when set before the first connection, is told of connections that
	// found no place or lost it. It must be quick.
	Refused func(remote net.Addr, reason string)

	mu       sync.Mutex
	waiting  [2]list.List // of *Conn, strangers and known, in the order of arrival
	admitted int
	by       map[netip.Addr]*address
	at       map[string]*Conn // by remote address and port
	known    *Recent[netip.Addr]
}

// address is what one address has here: of IPv6 the network of 64 bits.
type address struct{ waiting, admitted int }

// New makes a room.
func New(lim Limits) *Room {
	return &Room{
		lim: lim, by: map[netip.Addr]*address{}, at: map[string]*Conn{},
		known: NewRecent[netip.Addr](knownMost, knownFor),
	}
}

// Usage is how many connections a room has.
type Usage struct{ Strangers, Known, Admitted int }

// Usage says what is open now.
func (r *Room) Usage() Usage {
	r.mu.Lock()
	defer r.mu.Unlock()

	return Usage{r.waiting[stranger].Len(), r.waiting[knownAddress].Len(), r.admitted}
}

// The two kinds of connections that wait.
const (
	stranger = iota
	knownAddress
)

// knownMost is how many addresses are remembered, and knownFor how long after
// somebody was admitted from there.
const (
	knownMost = 4096
	knownFor  = 7 * 24 * time.Hour
)

// Remember makes an address known, as that of a device that is registered.
func (r *Room) Remember(ip netip.Addr) { r.known.Use(site(ip), time.Now()) }

// enter finds a place for a connection. What it returns is nil where there is
// none.
func (r *Room) enter(tcp *net.TCPConn) *Conn {
	now := time.Now()
	c := &Conn{
		TCPConn: tcp, room: r, came: now,
		ip: addressOf(tcp.RemoteAddr()), remote: tcp.RemoteAddr().String(),
	}

	r.mu.Lock()
	if r.known.Has(c.ip, now) {
		c.kind = knownAddress
	}

	if who := r.by[c.ip]; who != nil && who.waiting >= r.lim.StrangersPerAddress {
		r.mu.Unlock()
		r.refuse(tcp.RemoteAddr(), "too many connections from this address on which nobody was admitted")
		return nil
	}

	var loser *Conn
	if most := [2]int{r.lim.Strangers, r.lim.Known}[c.kind]; r.waiting[c.kind].Len() >= most {
		loser = r.givesWay(c.kind)
		if loser == nil {
			r.mu.Unlock()
			r.refuse(tcp.RemoteAddr(), "too many connections at once")
			return nil
		}
		r.leave(loser)
	}

	who := r.by[c.ip] // after the loser left: it may have been the last of this address
	if who == nil {
		who = &address{}
		r.by[c.ip] = who
	}

	who.waiting++
	c.place = r.waiting[c.kind].PushBack(c)
	r.at[c.remote] = c
	c.timer = time.AfterFunc(r.lim.FirstByte, c.silent)
	r.mu.Unlock()

	if loser != nil {
		loser.TCPConn.Close()
		r.refuse(loser.TCPConn.RemoteAddr(), "gave way: nobody was admitted on it, and others came")
	}
	return c
}

// givesWay chooses among the connections that wait: those of the address with
// most of them, of these the silent ones, of these the oldest. One that is being
// answered gives no way. Called with mu held.
func (r *Room) givesWay(kind int) *Conn {
	var loser *Conn
	for place := r.waiting[kind].Front(); place != nil; place = place.Next() {
		c := place.Value.(*Conn)
		if c.asking > 0 {
			continue
		}

		if loser == nil || r.by[c.ip].waiting > r.by[loser.ip].waiting ||
			c.ip == loser.ip && loser.spoke.Load() && !c.spoke.Load() {
			loser = c
		}
	}
	return loser
}

// leave takes a connection out of the books. Called with mu held.
func (r *Room) leave(c *Conn) {
	if c.left {
		return
	}
	c.left = true
	c.timer.Stop()

	if r.at[c.remote] == c {
		delete(r.at, c.remote)
	}

	who := r.by[c.ip]
	if c.place != nil {
		r.waiting[c.kind].Remove(c.place)
		who.waiting--
	} else {
		r.admitted--
		who.admitted--
	}

	if who.waiting == 0 && who.admitted == 0 {
		delete(r.by, c.ip)
	}
}

func (r *Room) refuse(remote net.Addr, reason string) {
	if r.Refused != nil {
		r.Refused(remote, reason)
	}
}

// Admit gives the connection from a remote address its place among those on
// which somebody was admitted, and makes the address known. Where all these places
// are taken one gives way on which nothing is asked for; it reports false where
// there is none. A connection that is not of this room, or
// was admitted before, is let through; a nil Room has places for everybody.
func (r *Room) Admit(remote net.Addr) bool { return remote == nil || r.AdmitFrom(remote.String()) }

// AdmitFrom is Admit by the text of an address and port.
func (r *Room) AdmitFrom(remote string) bool { return r.place(remote, true) }

// AdmitGuest is AdmitFrom for somebody who is let in, and whose address does not
// become known by it: who was handed a link may hand it to anybody.
func (r *Room) AdmitGuest(remote string) bool { return r.place(remote, false) }

func (r *Room) place(remote string, known bool) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	loser, admitted := r.admit(remote, known)
	r.mu.Unlock()

	if loser != nil {
		loser.TCPConn.Close()
		r.refuse(loser.TCPConn.RemoteAddr(), "gave way: nothing was asked for on it, and others came")
	}
	return admitted
}

// admit is place; a connection that gave way is still to be closed. Called
// with mu held.
func (r *Room) admit(remote string, known bool) (loser *Conn, admitted bool) {
	c := r.at[remote]
	if c == nil || c.place == nil {
		return nil, true
	}

	who := r.by[c.ip]
	crowded := who.admitted >= r.lim.AdmittedPerAddress
	if crowded || r.admitted >= r.lim.Admitted {
		loser = r.resting(c.ip, crowded)
		if loser == nil {
			return nil, false
		}
		r.leave(loser)
	}

	r.waiting[c.kind].Remove(c.place)
	c.place = nil
	c.timer.Stop()
	who.waiting--
	who.admitted++
	r.admitted++

	if known {
		r.known.Use(c.ip, time.Now())
	}
	return loser, true
}

// resting chooses a connection that can give way: somebody was admitted on it, and
// nothing is asked for. The address with the most admitted connections loses one, or
// with alone the address ip does; of its connections it is the one that rests
// longest. nil: all are busy. Called with mu held.
func (r *Room) resting(ip netip.Addr, alone bool) (loser *Conn) {
	for _, c := range r.at {
		if c.place != nil || c.rests.IsZero() || alone && c.ip != ip {
			continue
		}

		if loser == nil {
			loser = c
			continue
		}
		has, most := r.by[c.ip].admitted, r.by[loser.ip].admitted
		if has > most || has == most && c.rests.Before(loser.rests) {
			loser = c
		}
	}
	return loser
}

// site is an address without its zone, of IPv6 the network of 64 bits.
func site(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return ip
}

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return site(tcp.AddrPort().Addr())
	}
	return netip.Addr{}
}
