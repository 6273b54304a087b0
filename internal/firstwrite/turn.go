package firstwrite

import "context"

// Turn is an instance in hand. Last comes before End; it is not safe for concurrent use.
type Turn struct {
	m        *Memory
	i        Instance
	o        *opened
	conflict Conflict
	claims   *claims // nil where it is known, or contradicts what is
}

// Last says what an instance contradicts now: something may have gone through since Begin. It has to be
// called before the end of the instance goes to the system behind, and what it lets go on has to come to
// End soon: others wait for it.
func (t *Turn) Last(ctx context.Context) (Conflict, error) {
	if t.claims == nil {
		return t.conflict, nil
	}
	return t.claims.last(ctx)
}

// End gives an instance out of hand, with what went through, or with nil where nothing did.
func (t *Turn) End(through *Content) {
	if t.claims != nil {
		t.claims.end(through != nil)
	}
	t.m.give(t.i, t.o, through)
}
