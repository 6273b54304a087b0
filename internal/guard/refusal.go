package guard

import (
	"context"
	"errors"
	"net"
	"strings"

	"collimator/dimse"
	"collimator/internal/audit"
	"collimator/internal/places"
)

// Refused is the hook of dimse.Server for connections that never came before
// Admit: what a stranger tried is recorded, and a caller that spoke plain DICOM
// to the TLS listener is remembered, so that somebody can give it a certificate.
func (g *Guard) Refused(r dimse.Refusal) {
	ctx := context.Background()
	address := AddressOf(r.RemoteAddr).String()
	switch r.Kind {
	case dimse.RefusedRejected, dimse.RefusedClosed:
		return // Admit recorded the first; the second asked for nothing
	case dimse.RefusedPlaintext:
		if r.Request == nil {
			break
		}
		claim := claimOf(r.Request)
		claim.Certificate, claim.TLS = nil, false
		const reason = "the association came without TLS"
		g.recordRefusedStranger(ctx, peerOf(r.Request, claim), doorPlain, reason)
		g.remember(ctx, r.Request, claim, reason)
		return
	}

	g.recordRefusedStranger(ctx, audit.Peer{Address: address}, doorDIMSE, refusalText(r))
}

// refusalText is the reason in the audit record. It has words of ours alone, so that
// a stranger cannot make a new reason each time.
func refusalText(r dimse.Refusal) string {
	switch r.Kind {
	case dimse.RefusedCap:
		return "too many connections from this address"
	case dimse.RefusedTimeout:
		return "no complete association request in time"
	case dimse.RefusedTLS:
		return "the TLS handshake did not succeed: " + handshakeText(r.Err)
	case dimse.RefusedPlaintext:
		return "the association came without TLS"
	case dimse.RefusedGarbage:
		return "the first bytes are neither DICOM nor TLS, or they are TLS on the listener without TLS"
	case dimse.RefusedMalformed:
		return "the association request cannot be read"
	}
	return "refused: " + r.Kind.String()
}

// handshakeText is the reason of crypto/tls, which says what was missing: the
// certificate, a version, a cipher suite, or what the peer did not like. What the
// peer offered is cut off: refusals for one reason are written once in a while,
// and a stranger must not make a reason of his own each time.
func handshakeText(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if text, ok := strings.CutPrefix(inner.Error(), "remote error: tls: "); ok {
			return "the peer says: " + fixedPart(text)
		}
		if text, ok := strings.CutPrefix(inner.Error(), "tls: "); ok {
			return fixedPart(text)
		}
	}
	return "the peer ended the connection without a reason"
}

// fixedPart is a sentence up to what varies in it.
func fixedPart(text string) string {
	if i := strings.IndexAny(text, "[](){};:0123456789"); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}

// recordedBy makes the guard the hook of the rooms: a connection that found no place or
// lost it is recorded, as far as it is not one of a flood.
func (r Rooms) recordedBy(g *Guard) {
	for door, room := range map[audit.Door]*places.Room{doorDIMSE: r.DICOM, doorPlain: r.Plain, doorWeb: r.Web} {
		if room == nil {
			continue
		}
		room.Refused = func(remote net.Addr, reason string) {
			g.recordRefusedStranger(context.Background(), audit.Peer{Address: AddressOf(remote).String()}, door, reason)
		}
	}
}
