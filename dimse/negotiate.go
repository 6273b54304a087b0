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
	// Sending gives the transfer syntaxes in which objects of a SOP Class can be sent
	// whatever they are stored in, best first. Where the requestor is SCP by role
	// selection (C-GET) and offers several in one context, the best of these is taken,
	// because most can be sent in it; nil leaves that to the other rules. Where another
	// context has one of these already, one is taken that no other context has.
	Sending func(sopClassUID string) []string
	// Convertible reports a transfer syntax out of which objects are converted into
	// those of Sending. What is in any other is sent as it is or not at all, and has
	// the first claim to a further context; nil: nothing is converted.
	Convertible func(transferSyntaxUID string) bool
	// Query gives what is supported of extended negotiation for query and retrieve
	// (PS3.4 C.5.1.1, C.5.2.1, C.5.3.1); nil supports nothing.
	Query func(sopClassUID string) QueryOptions
	// Storage gives what is done with objects of a storage SOP Class, for its extended
	// negotiation (PS3.4 B.3.1), and whether it is one; nil supports nothing.
	Storage func(sopClassUID string) (StorageOptions, bool)
}

// Negotiate answers a request with what both sides have. It accepts nobody by
// itself: who may call is for Server.Admit to decide. It leaves user identity unanswered.
func Negotiate(rq *AssociateRequest, s Support) Acceptance {
	var acc Acceptance
	sending := map[string]bool{} // SOP Classes of which the requestor is SCP
	if s.Roles != nil {
		for _, r := range rq.Roles {
			scu, scp := s.Roles(r.SOPClassUID)
			acc.Roles = append(acc.Roles, ul.RoleSelection{SOPClassUID: r.SOPClassUID, SCU: r.SCU && scu, SCP: r.SCP && scp})
			sending[r.SOPClassUID] = r.SCP && scp
		}
	}

	acc.Contexts = make([]ul.AcceptedContext, len(rq.Contexts))
	for i, pc := range rq.Contexts {
		if !sending[pc.AbstractSyntax] {
			acc.Contexts[i] = s.context(pc, nil)
		}
	}
	s.contextsToSend(rq.Contexts, sending, acc.Contexts)

	if w := rq.AsyncWindow; w != nil {
		// We may have no more outstanding at the requestor than it performs, and
		// one is all we use.
		acc.AsyncWindow = &ul.AsyncWindow{Invoked: smaller(w.Invoked, max(s.Window, 1)), Performed: 1}
	}

	for _, x := range rq.Extended {
		if info := s.extended(x); info != nil {
			acc.Extended = append(acc.Extended, ul.ExtendedNegotiation{SOPClassUID: x.SOPClassUID, Info: info})
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

// context answers a context: of what both sides have, what stands first in best is
// taken, else the first by the order of Support.RequestorOrder.
func (s Support) context(pc ul.ProposedContext, best []string) ul.AcceptedContext {
	out := ul.AcceptedContext{ID: pc.ID, Result: ul.AbstractSyntaxNotSupported}
	if len(s.supported(pc.AbstractSyntax)) == 0 {
		return out
	}
	common := s.common(pc)
	if len(common) == 0 {
		out.Result = ul.TransferSyntaxesNotSupported
		return out
	}

	out.Result = ul.Acceptance
	out.TransferSyntax = common[0]
	for _, ts := range best {
		if slices.Contains(common, ts) {
			out.TransferSyntax = ts
			break
		}
	}
	return out
}

// supported is the transfer syntaxes for an abstract syntax.
func (s Support) supported(abstractSyntax string) []string {
	if s.TransferSyntaxes == nil || abstractSyntax == "" {
		return nil
	}
	return s.TransferSyntaxes(abstractSyntax)
}

// common is the transfer syntaxes of a context that are supported, in the order of
// Support.RequestorOrder.
func (s Support) common(pc ul.ProposedContext) []string {
	first, second := s.supported(pc.AbstractSyntax), pc.TransferSyntaxes
	if s.RequestorOrder {
		first, second = second, first
	}
	var out []string
	for _, ts := range first {
		if slices.Contains(second, ts) {
			out = append(out, ts)
		}
	}
	return out
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
func settle(
	proposed []ul.ProposedContext, wanted []ul.RoleSelection,
	acc []ul.AcceptedContext, roles []ul.RoleSelection, requestor bool,
) ([]PresentationContext, error) {
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

		if p.AbstractSyntax == "" || !slices.Contains(p.TransferSyntaxes, pc.TransferSyntax) {
			return nil, fmt.Errorf("dimse: presentation context %d answered with a transfer syntax that was not proposed", pc.ID)
		}

		c := PresentationContext{
			ID:             pc.ID,
			AbstractSyntax: p.AbstractSyntax,
			TransferSyntax: pc.TransferSyntax,
			SCU:            requestor,
			SCP:            !requestor,
		}
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
