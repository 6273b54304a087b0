package dimse

import (
	"fmt"
	"slices"

	"collimator/dimse/ul"
)

// Support says what an acceptor can do; Negotiate turns it into an Acceptance.
type Support struct {
	// TransferSyntaxes gives the transfer syntaxes for an abstract syntax, best
	// first; empty when the abstract syntax is not supported.
	TransferSyntaxes func(abstractSyntax string) []string
	// RequestorOrder takes the first proposed transfer syntax that is supported
	// instead of our best.
	RequestorOrder bool
	// Roles gives the roles the requestor may take for a SOP Class when it asks by
	// role selection; nil permits the default only: requestor SCU.
	Roles func(sopClassUID string) (scu, scp bool)
	// Window is the most operations the requestor may have outstanding when it
	// asks for an asynchronous operations window; 0 means one.
	Window uint16
	// Query gives what is supported of extended negotiation for query and retrieve
	// (PS3.4 C.5.1.1, C.5.2.1, C.5.3.1); nil supports nothing.
	Query func(sopClassUID string) QueryOptions
}

// Negotiate answers a request with what both sides have. It accepts nobody by
// itself: who may call is for Server.Admit to decide. It leaves user identity unanswered.
func Negotiate(rq *AssociateRequest, s Support) Acceptance {
	var acc Acceptance
	for _, pc := range rq.Contexts {
		acc.Contexts = append(acc.Contexts, s.context(pc))
	}
	if s.Roles != nil {
		for _, r := range rq.Roles {
			scu, scp := s.Roles(r.SOPClassUID)
			acc.Roles = append(acc.Roles, ul.RoleSelection{SOPClassUID: r.SOPClassUID, SCU: r.SCU && scu, SCP: r.SCP && scp})
		}
	}
	if w := rq.AsyncWindow; w != nil {
		// We may have no more outstanding at the requestor than it performs, and
		// one is all we use.
		acc.AsyncWindow = &ul.AsyncWindow{Invoked: smaller(w.Invoked, max(s.Window, 1)), Performed: 1}
	}
	if s.Query != nil {
		for _, x := range rq.Extended {
			if opts := ParseQueryOptions(x.Info).and(s.Query(x.SOPClassUID)); len(x.Info) > 0 {
				acc.Extended = append(acc.Extended, ul.ExtendedNegotiation{SOPClassUID: x.SOPClassUID, Info: opts.Bytes(len(x.Info))})
			}
		}
	}
	return acc
}

// smaller of a proposal, where 0 is unlimited, and a bound.
func smaller(proposed, bound uint16) uint16 {
	if proposed == 0 {
		return bound
	}
	return min(proposed, bound)
}

func (s Support) context(pc ul.ProposedContext) ul.AcceptedContext {
	out := ul.AcceptedContext{ID: pc.ID, Result: ul.AbstractSyntaxNotSupported}
	if s.TransferSyntaxes == nil {
		return out
	}
	ours := s.TransferSyntaxes(pc.AbstractSyntax)
	if len(ours) == 0 {
		return out
	}
	first, second := ours, pc.TransferSyntaxes
	if s.RequestorOrder {
		first, second = second, first
	}
	for _, ts := range first {
		if slices.Contains(second, ts) {
			out.Result, out.TransferSyntax = ul.Acceptance, ts
			return out
		}
	}
	out.Result = ul.TransferSyntaxesNotSupported
	return out
}

// QueryOptions are the service class application information of query and retrieve
// (PS3.4 C.5.1.1, C.5.2.1, C.5.3.1).
type QueryOptions struct {
	Relational         bool // byte 1: relational queries or retrieval
	DateTimeMatching   bool // byte 2 of C-FIND: combined date and time matching
	FuzzyMatching      bool // byte 3 of C-FIND: fuzzy semantic matching of person names
	TimezoneAdjustment bool // byte 4 of C-FIND: timezone query adjustment
	EnhancedMultiFrame bool // byte 5 of C-FIND: enhanced multi-frame image conversion
}

// ParseQueryOptions reads the application information of C-FIND; bytes that are not there are off.
func ParseQueryOptions(info []byte) QueryOptions {
	on := func(i int) bool { return i < len(info) && info[i] == 1 }
	return QueryOptions{Relational: on(0), DateTimeMatching: on(1), FuzzyMatching: on(2), TimezoneAdjustment: on(3), EnhancedMultiFrame: on(4)}
}

// Bytes is the application information with n bytes, 1 to 5.
func (q QueryOptions) Bytes(n int) []byte {
	out := make([]byte, min(max(n, 1), 5))
	for i, on := range []bool{q.Relational, q.DateTimeMatching, q.FuzzyMatching, q.TimezoneAdjustment, q.EnhancedMultiFrame} {
		if on && i < len(out) {
			out[i] = 1
		}
	}
	return out
}

func (q QueryOptions) and(o QueryOptions) QueryOptions {
	return QueryOptions{
		Relational:         q.Relational && o.Relational,
		DateTimeMatching:   q.DateTimeMatching && o.DateTimeMatching,
		FuzzyMatching:      q.FuzzyMatching && o.FuzzyMatching,
		TimezoneAdjustment: q.TimezoneAdjustment && o.TimezoneAdjustment,
		EnhancedMultiFrame: q.EnhancedMultiFrame && o.EnhancedMultiFrame,
	}
}

// PresentationContext is an accepted context of an association (PS3.8 7.1.1.13).
type PresentationContext struct {
	ID             uint8
	AbstractSyntax string
	TransferSyntax string
	// SCU and SCP are the roles of this side for the SOP Class.
	SCU, SCP bool
}

// settle works out the accepted contexts from both sides' words. It fails when the
// answer names what was not proposed.
func settle(proposed []ul.ProposedContext, wanted []ul.RoleSelection, acc []ul.AcceptedContext, roles []ul.RoleSelection, requestor bool) ([]PresentationContext, error) {
	byID := make(map[uint8]ul.ProposedContext, len(proposed))
	for _, pc := range proposed {
		byID[pc.ID] = pc
	}
	asked := make(map[string]ul.RoleSelection, len(wanted))
	for _, r := range wanted {
		asked[r.SOPClassUID] = r
	}
	granted := make(map[string]ul.RoleSelection, len(roles))
	for _, r := range roles {
		a, ok := asked[r.SOPClassUID]
		if !ok {
			return nil, fmt.Errorf("dimse: role selection answered for a SOP Class that was not asked for")
		}
		granted[r.SOPClassUID] = ul.RoleSelection{SCU: r.SCU && a.SCU, SCP: r.SCP && a.SCP}
	}
	var out []PresentationContext
	for _, pc := range acc {
		p, ok := byID[pc.ID]
		if !ok {
			return nil, fmt.Errorf("dimse: answer to presentation context %d that was not proposed", pc.ID)
		}
		delete(byID, pc.ID)
		if pc.Result != ul.Acceptance {
			continue
		}
		if !slices.Contains(p.TransferSyntaxes, pc.TransferSyntax) {
			return nil, fmt.Errorf("dimse: presentation context %d answered with a transfer syntax that was not proposed", pc.ID)
		}
		c := PresentationContext{ID: pc.ID, AbstractSyntax: p.AbstractSyntax, TransferSyntax: pc.TransferSyntax, SCU: requestor, SCP: !requestor}
		if g, ok := granted[p.AbstractSyntax]; ok { // PS3.7 D.3.3.4: roles of the requestor
			c.SCU, c.SCP = g.SCU, g.SCP
			if !requestor {
				c.SCU, c.SCP = g.SCP, g.SCU
			}
		}
		out = append(out, c)
	}
	return out, nil
}
