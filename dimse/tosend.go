package dimse

import (
	"cmp"
	"slices"

	"collimator/dimse/ul"
)

// contextsToSend answers the contexts of SOP Classes of which objects are to be sent
// to the requestor (C-GET), so that as many as possible can be: one context in a
// transfer syntax into which objects are converted, the further ones each in one in
// which nothing else would carry what is stored. Contexts with little choice are
// answered first.
func (s Support) contextsToSend(proposed []ul.ProposedContext, sending map[string]bool, out []ul.AcceptedContext) {
	var order []int
	for i, pc := range proposed {
		if sending[pc.AbstractSyntax] {
			order = append(order, i)
		}
	}
	choice := func(i int) int { return len(s.common(proposed[i])) }
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(choice(i), choice(j)) })

	taken := map[string][]string{} // by SOP Class
	for _, i := range order {
		pc := proposed[i]
		out[i] = s.context(pc, s.bestToSend(pc, taken[pc.AbstractSyntax]))
		taken[pc.AbstractSyntax] = append(taken[pc.AbstractSyntax], out[i].TransferSyntax)
	}
}

// bestToSend is the transfer syntaxes of a context, best first, where other contexts
// of the SOP Class have taken some.
func (s Support) bestToSend(pc ul.ProposedContext, taken []string) []string {
	if s.Sending == nil {
		return nil
	}
	sendable := s.Sending(pc.AbstractSyntax)
	has := func(list []string) func(string) bool {
		return func(ts string) bool { return slices.Contains(list, ts) }
	}
	if !slices.ContainsFunc(taken, has(sendable)) {
		return sendable
	}

	rank := func(ts string) int {
		switch {
		case has(taken)(ts):
			return 3
		case has(sendable)(ts):
			return 2
		case s.Convertible != nil && s.Convertible(ts):
			return 1
		}
		return 0
	}
	best := s.common(pc)
	slices.SortStableFunc(best, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return best
}
