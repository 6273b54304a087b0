package guard

import (
	"context"

	"collimator/dimse"
	"collimator/internal/audit"
)

// Refused is the hook of dimse.Server for connections that never came before
// Admit: what a stranger tried is recorded, and a caller that spoke plain DICOM
// to the TLS listener is remembered, so that somebody can give it a certificate.
func (g *Guard) Refused(r dimse.Refusal) {
	ctx := context.Background()
	address := addressOf(r.RemoteAddr).String()
	switch r.Kind {
	case dimse.RefusedRejected, dimse.RefusedClosed:
		return // Admit recorded the first; the second asked for nothing
	case dimse.RefusedPlaintext:
		if r.Request == nil {
			break
		}
		claim := claimOf(r.Request)
		claim.Certificate = nil
		const reason = "the association came without TLS"
		g.refused(ctx, peerOf(r.Request, claim), doorPlain, reason)
		g.remember(ctx, r.Request, claim, reason)
		return
	}
	g.refused(ctx, audit.Peer{Address: address}, doorDIMSE, refusalText(r.Kind))
}

func refusalText(k dimse.RefusalKind) string {
	switch k {
	case dimse.RefusedCap:
		return "too many connections from this address"
	case dimse.RefusedTimeout:
		return "no complete association request in time"
	case dimse.RefusedTLS:
		return "the TLS handshake did not succeed: no certificate, or TLS older than 1.2"
	case dimse.RefusedPlaintext:
		return "the association came without TLS"
	case dimse.RefusedGarbage:
		return "what came is neither DICOM nor TLS, or TLS on the listener without TLS"
	case dimse.RefusedMalformed:
		return "the association request cannot be read"
	}
	return "refused: " + k.String()
}
