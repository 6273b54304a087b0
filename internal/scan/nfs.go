package scan

import (
	"context"
	"encoding/binary"
	"io"

	"collimator/internal/finding"
)

// exports asks the port mapper for the mount service, and that one for the list
// of exports (RFC 1833 3, RFC 1813 5.2.5). Only their number is noted.
func (v *visit) exports(ctx context.Context, l *link, h *finding.HostFacts) error {
	var args []byte
	for _, n := range []uint32{100005, 3, 6, 0} {
		args = binary.BigEndian.AppendUint32(args, n)
	}

	answer := rpc(l, 100000, 2, 3, args)
	l.Close()
	if answer == nil {
		return nil
	}

	h.Spoke = true
	h.Banner = "port mapper"
	if len(answer) < 4 {
		return nil
	}

	port := binary.BigEndian.Uint32(answer)
	if port == 0 || port > 65535 {
		return nil
	}

	mount, err := v.dial(ctx, uint16(port))
	if err != nil {
		return nil // the port mapper names services that are gone
	}
	defer mount.Close()

	h.Names = countExports(rpc(mount, 100005, 3, 5, nil))
	h.Open = len(h.Names) > 0
	return nil
}

// rpc makes one call over TCP and gives the result; nil where it did not succeed.
func rpc(c io.ReadWriter, program, version, procedure uint32, args []byte) []byte {
	call := []byte{}
	for _, n := range []uint32{0x434F4C4C, 0, 2, program, version, procedure, 0, 0, 0, 0} {
		call = binary.BigEndian.AppendUint32(call, n)
	}

	call = append(call, args...)
	record := binary.BigEndian.AppendUint32(nil, 0x80000000|uint32(len(call)))
	if _, err := c.Write(append(record, call...)); err != nil {
		return nil
	}

	head := make([]byte, 4)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil
	}

	n := binary.BigEndian.Uint32(head) & 0x7FFFFFFF
	body := make([]byte, min(n, 16<<10))
	if _, err := io.ReadFull(c, body); err != nil {
		return nil
	}
	return decodeRPC(body)
}

// decodeRPC gives the result of an accepted, successful reply.
func decodeRPC(b []byte) []byte {
	if len(b) < 24 || binary.BigEndian.Uint32(b[4:]) != 1 || binary.BigEndian.Uint32(b[8:]) != 0 {
		return nil
	}

	verifier := uint64(binary.BigEndian.Uint32(b[16:]))
	if verifier > 400 || uint64(len(b)) < 24+verifier || binary.BigEndian.Uint32(b[20+verifier:]) != 0 {
		return nil
	}
	return b[24+verifier:]
}

// countExports counts the entries of a list of exports.
func countExports(b []byte) []string {
	var out []string

	take := func() (uint32, bool) {
		if len(b) < 4 {
			return 0, false
		}
		n := binary.BigEndian.Uint32(b)
		b = b[4:]
		return n, true
	}

	text := func() bool {
		n, ok := take()
		padded := (uint64(n) + 3) / 4 * 4
		if !ok || padded > uint64(len(b)) {
			return false
		}
		b = b[padded:]
		return true
	}

	for len(out) < 100 {
		if more, ok := take(); !ok || more == 0 || !text() {
			return out
		}
		out = append(out, "export")

		for {
			more, ok := take()
			if !ok {
				return out
			}
			if more == 0 {
				break
			}
			if !text() {
				return out
			}
		}
	}
	return out
}
