package dimse

import (
	"crypto/tls"
	"log/slog"

	"collimator/dimse/ul"
)

// Config says how Dial asks for an association. CallingAETitle, CalledAETitle and
// Contexts are required.
type Config struct {
	// TLSConfig turns TLS on; it is used as it is, with ServerName from the
	// address when that is empty. nil is plain DICOM.
	TLSConfig      *tls.Config
	CallingAETitle string
	CalledAETitle  string
	// Contexts to propose; identifiers that are all 0 are given out as 1, 3, 5 ...
	Contexts []ul.ProposedContext
	// Roles to ask for (PS3.7 D.3.3.4), for C-GET: SCP of the storage classes.
	Roles []ul.RoleSelection
	// AsyncWindow to ask for; nil is one operation at a time.
	AsyncWindow    *ul.AsyncWindow
	Extended       []ul.ExtendedNegotiation
	CommonExtended []ul.CommonExtendedNegotiation
	// Identity is sent only over TLS: without, Dial fails with ErrInsecureIdentity.
	Identity *ul.UserIdentity
	// Mux answers requests of the peer: N-EVENT-REPORT, C-STORE by role selection.
	// nil refuses them; C-GET has its own handler.
	Mux *Mux
	// Principal is kept with the Association and not looked at here, as that of an
	// Acceptance is.
	Principal any
	Limits    Limits
	// Log gets a line per association at debug level; nil is silent.
	Log *slog.Logger
}

// Propose makes one presentation context of each abstract syntax with all the
// transfer syntaxes, or one per transfer syntax when separate, so that each can be accepted.
func Propose(abstractSyntaxes, transferSyntaxes []string, separate bool) []ul.ProposedContext {
	var out []ul.ProposedContext
	add := func(as string, ts []string) {
		out = append(out, ul.ProposedContext{ID: uint8(2*len(out) + 1), AbstractSyntax: as, TransferSyntaxes: ts})
	}

	for _, as := range abstractSyntaxes {
		if !separate {
			add(as, transferSyntaxes)
			continue
		}
		for _, ts := range transferSyntaxes {
			add(as, []string{ts})
		}
	}
	return out
}
