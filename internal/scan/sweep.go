package scan

import (
	"context"
	"errors"
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
}

// look tries ports one after the other and closes each connection at once.
// alive reports an answer of any kind: a refusal is one.
func (s *sweeper) look(ctx context.Context, a netip.Addr, only []uint16) (open []uint16, alive bool, err error) {
	timeout := s.opt.ConnectTimeout
	first, rest := s.rounds(only)
	for round, list := range [][]uint16{first, rest} {
		if round == 1 && !alive && !s.opt.AllPortsOnSilent && len(only) == 0 {
			return nil, false, nil
		}
		for _, port := range list {
			took, state := s.patient(ctx, a, port, timeout)
			switch state {
			case portOpen:
				open = append(open, port)
			case portGone:
				return open, alive, ctx.Err()
			case portStopped:
				return nil, false, ctx.Err()
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
		first, rest = rest[:min(3, len(rest))], rest[min(3, len(rest)):]
	}
	return first, rest
}

// portState is what came of one connection.
type portState uint8

const (
	portSilent portState = iota
	portRefused
	portOpen
	portGone    // the network says that nobody is there
	portStopped // the scan was stopped
)

// late is how much later than asked a timer may fire on a machine that has time.
const late = 20 * time.Millisecond

// patient tries a port again where this machine, not the network, was too slow:
// then silence says nothing.
func (s *sweeper) patient(ctx context.Context, a netip.Addr, port uint16, timeout time.Duration) (took time.Duration, state portState) {
	for range 4 {
		if took, state = s.try(ctx, a, port, timeout); state != portSilent || took < timeout+late {
			break
		}
		timeout = max(2*timeout, s.opt.ConnectTimeout)
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
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return took, portGone
	}
	return took, portSilent
}
