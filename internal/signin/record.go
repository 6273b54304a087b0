package signin

import (
	"collimator/internal/audit"
	"collimator/internal/policy"
)

// entry begins a record of what somebody did about signing in, from an address.
// The zero principal is somebody who is not known.
func entry(event audit.Event, who policy.Principal, address string) audit.Record {
	return audit.Record{
		Event:     event,
		Action:    audit.Execute,
		Door:      audit.DoorAPI,
		Principal: who.Name,
		Kind:      string(who.Kind),
		Peer:      audit.Peer{Address: address},
	}
}

// asPerson is a person as a principal of the record.
func asPerson(name string) policy.Principal {
	return policy.Principal{Kind: policy.Person, Name: name}
}

// event records what somebody did to sign in or out, or to a way to do so.
// principal is a name that exists, or empty: what strangers type does not go into the record.
func (rq *request) event(event audit.Event, principal string, outcome audit.Outcome, reason, session string) {
	who := policy.Principal{}
	if principal != "" {
		who = asPerson(principal)
	}
	r := entry(event, who, rq.Address())
	r.Outcome = outcome
	r.Reason = reason
	if session != "" {
		r.Association = "session " + session
	}

	if outcome != audit.Success {
		before, write := rq.s.door.Repeated(rq.Address(), reason+"\x00"+principal)
		if !write {
			return
		}
		r.CountLike("failures", before)
	}
	rq.s.door.Record(rq.Context(), r)
}

// changed writes down what the caller changed of how it signs in.
func (rq *request) changed(detail string) {
	rq.Record(audit.PersonChanged, audit.Update, audit.Object{Person: rq.Person().Name, Detail: detail})
}
