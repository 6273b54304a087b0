package gate

import (
	"slices"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse/ul"
	"collimator/internal/fault"
	"collimator/internal/patch"
	"collimator/internal/policy"
)

// understood is a proposed context with the transfer syntaxes that may go on; false where
// none may: the gate does not know it, or a patch keeps it away.
func understood(pc ul.ProposedContext, rules *policy.Route, patches *patch.Set) (ul.ProposedContext, bool) {
	pc.TransferSyntaxes = slices.DeleteFunc(slices.Clone(pc.TransferSyntaxes), func(ts string) bool {
		return !goesOn(ts, rules) || patches.Syntax(ts) != nil
	})
	return pc, len(pc.TransferSyntaxes) > 0
}

// goesOn reports a transfer syntax in which data sets may go on: one that is known, because the
// gate has to read what it lets through. What is deflated as a whole may be a thousand
// times as long for who inflates it, and goes where a rule of the route names the syntax.
func goesOn(ts string, rules *policy.Route) bool {
	known, ok := dicom.LookupTransferSyntax(ts)
	if !ok || !known.Deflated {
		return ok
	}
	return slices.ContainsFunc(rules.Rules, func(rule policy.RouteRule) bool { return slices.Contains(rule.Syntaxes, ts) })
}

// keptAway is why an object in a transfer syntax that is not understood goes nowhere.
func (r *route) keptAway(ts string) error {
	if refusal := r.patches.Syntax(ts); refusal != nil {
		return patched(refusal)
	}
	return fault.Newf(fault.Unsupported, "gate: no rule of the route lets %s through", uid.Name(ts))
}

// Bounds of the service class application information that goes on: of every service that has any,
// it is a few bytes with small numbers (PS3.4 B.3.1, C.5.1.1).
const (
	informationMost = 8
	informationByte = 3
)

// plainNegotiation reports an extended negotiation that is no more than that.
func plainNegotiation(x ul.ExtendedNegotiation) bool {
	return len(x.Info) <= informationMost && !slices.ContainsFunc(x.Info, func(b byte) bool { return b > informationByte })
}

// each is the items that are wanted, the first of each class.
func each[T any](items []T, wanted func(T) (class string, ok bool)) (out []T) {
	seen := map[string]bool{}
	for _, item := range items {
		class, ok := wanted(item)
		if ok && !seen[class] {
			seen[class] = true
			out = append(out, item)
		}
	}
	return out
}
