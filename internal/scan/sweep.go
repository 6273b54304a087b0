package scan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"
)

// sweeper looks for open ports of one address at a time.
type sweeper struct {
	opt  *Options
	pace *pace
	// conns counts connections that were tried.
	conns uint64
	// trouble is why this machine could not open a connection.
	trouble error
}

// look tries ports one after the other and closes each connection at once.
// alive reports an answer of any kind: a refusal is one.
func (s *sweeper) look(ctx context.Context, a netip.Addr, only []uint16) (open []uint16, alive bool, err error) {
	timeout := s.opt.ConnectTimeout
	first, rest := s.rounds(only)
	var silent, barred bool

	for round, list := range [][]uint16{first, rest} {
		if round == 1 && !alive && !barred && !s.opt.AllPortsOnSilent && len(only) == 0 {
			return nil, false, nil
		}

		for _, port := range list {
			took, state := s.tryAgain(ctx, a, port, timeout, alive || a.IsLoopback())
			switch state {
			case portOpen:
				open = append(open, port)
			case portGone:
				return open, alive, ctx.Err()
			case portBarred:
				if silent && !alive {
					return open, alive, ctx.Err() // the neighbour was asked for in vain
				}
				barred = true
				continue
			case portStopped:
				return nil, false, errors.Join(ctx.Err(), s.trouble)
			case portSilent:
				silent = true
			}

			if state != portSilent {
				alive = true
				timeout = min(timeout, max(4*took, 300*time.Millisecond))
			}
		}
	}

	slices.Sort(open)
	return open, alive, ctx.Err()
}

// rounds parts the ports: those that decide whether somebody is there come first.
func (s *sweeper) rounds(only []uint16) (first, rest []uint16) {
	if len(only) > 0 {
		return only, nil
	}

	for _, p := range slices.Concat(s.opt.Ports, s.opt.HL7Ports) {
		if slices.Contains(firstPorts(), p) {
			first = append(first, p)
		} else if !slices.Contains(rest, p) {
			rest = append(rest, p)
		}
	}

	if len(first) == 0 {
		n := min(3, len(rest))
		first, rest = rest[:n], rest[n:]
	}
	return first, rest
}

// portState is what came of one connection.
type portState uint8

const (
	portSilent portState = iota
	portRefused
	portOpen
	portGone    // this machine has no way there
	portBarred  // somebody on the way says that the host cannot be reached: a firewall may say so of one port
	portTrouble // this machine has no more sockets or memory
	portStopped // the scan was stopped
)

// late is how much later than asked a timer may fire on a machine that has time.
const late = 20 * time.Millisecond

// tryAgain tries a port, and again where this machine, not the network, was too slow:
// then silence says nothing. Where somebody is there, silence counts when it comes
// twice, because one packet may be lost. Where this machine has no sockets left it
// waits, and at last gives up the scan rather than miss a service.
func (s *sweeper) tryAgain(
	ctx context.Context, a netip.Addr, port uint16, timeout time.Duration, there bool,
) (took time.Duration, state portState) {
	for n := range 6 {
		took, state = s.try(ctx, a, port, timeout)
		switch {
		case state == portTrouble:
			if sleep(ctx, 50*time.Millisecond<<n) != nil {
				return took, portStopped
			}
		case state != portSilent:
			return took, state
		case took >= timeout+late:
			timeout = max(2*timeout, s.opt.ConnectTimeout)
		case there:
			there = false
			if a.IsLoopback() {
				timeout = max(timeout, s.opt.ConnectTimeout)
			}
		default:
			return took, state
		}
	}

	if state == portTrouble {
		return took, portStopped
	}
	return took, state
}

func (s *sweeper) try(ctx context.Context, a netip.Addr, port uint16, timeout time.Duration) (time.Duration, portState) {
	if err := s.pace.wait(ctx); err != nil {
		return 0, portStopped
	}
	s.conns++

	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	start := time.Now()
	conn, err := s.opt.Dial(dialCtx, "tcp", netip.AddrPortFrom(a, port).String())
	took := time.Since(start)

	switch {
	case err == nil:
		conn.Close()
		return took, portOpen
	case ctx.Err() != nil:
		return took, portStopped
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return took, portRefused
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return took, portSilent
	case errors.Is(err, syscall.EHOSTUNREACH):
		return took, portBarred
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return took, portGone
	case starved(err):
		s.trouble = fmt.Errorf("scan: this machine cannot open more connections (%w); "+
			"raise the limit of open files or lower --rate", err)
		return took, portTrouble
	}
	return took, portSilent
}

// starved reports errors of this machine, which say nothing about the network.
func starved(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}
