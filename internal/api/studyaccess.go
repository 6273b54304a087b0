package api

import (
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/webapi"
)

// access is one record of the trail as far as it is about one study or patient: a record may name others.
type access struct {
	Sequence  int64         `json:"sequence"`
	Time      time.Time     `json:"time"`
	Event     audit.Event   `json:"event"`
	Did       audit.Deed    `json:"did,omitempty"` // read, store or delete
	Outcome   audit.Outcome `json:"outcome"`
	Principal string        `json:"principal"`
	Kind      string        `json:"kind,omitempty"`
	Person    string        `json:"person,omitempty"` // for whom a device, a token or a link acted
	Address   string        `json:"address,omitempty"`
	Door      audit.Door    `json:"door,omitempty"`
	Rule      string        `json:"rule,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Study     string        `json:"study,omitempty"`
	Instances int           `json:"instances,omitempty"`
}

// studyAccesses says who saw a study, the oldest first: what was handed out without identity is found too,
// because its record names the study it was made of.
func (s *Services) studyAccesses(rq *webapi.Request) (any, error) {
	if !s.ofTheHouse(rq) {
		return nil, errOutside
	}
	_, o, err := s.seen(rq)
	if err != nil {
		return nil, err
	}

	return s.accesses(rq, audit.Filter{Study: o.Study}, o)
}

// patientAccesses says who saw studies of a patient, also those that were deleted.
func (s *Services) patientAccesses(rq *webapi.Request) (any, error) {
	id, issuer := rq.Query("patientID"), rq.Query("issuer")
	if id == "" || len(id) > filterMost || len(issuer) > filterMost {
		return nil, fault.New(fault.Invalid, "api: patientID is missing, or too long")
	}
	studies, err := s.Archive.StudiesOf(rq.Context(), id)
	if err != nil {
		return nil, err
	}

	return s.accesses(rq, audit.Filter{Patient: id, Studies: audit.Set(studies)}, audit.Object{Patient: id, PatientIssuer: issuer})
}

// accesses gives a page of the records that a filter finds. A page may hold fewer than there are, or none, and still
// name a next.
func (s *Services) accesses(rq *webapi.Request, f audit.Filter, about audit.Object) (any, error) {
	after, err := rq.Number("after", -1, -1, 1<<62)
	if err != nil {
		return nil, err
	}
	limit, err := rq.Number("limit", 100, 1, pageMost)
	if err != nil {
		return nil, err
	}
	if err := s.readAccesses(rq, about); err != nil {
		return nil, err
	}

	out := webapi.NewList[access](nil)
	looked := 0
	for r, err := range s.Trail.After(rq.Context(), after) {
		if err != nil {
			return nil, err
		}
		if x, ok := accessOf(&f, r, about.PatientIssuer); ok {
			out.Items = append(out.Items, x)
		}
		after = r.Sequence
		if looked++; looked >= lookMost || int64(len(out.Items)) >= limit {
			out.Next = &after
			break
		}
	}
	return out, nil
}

// readAccesses records that somebody reads who saw what (PS3.15 A.5.3.2), once and not for each page.
func (s *Services) readAccesses(rq *webapi.Request, about audit.Object) error {
	what := "who saw a study"
	if about.Study == "" {
		what = "who saw a patient"
	}
	values := []string{about.Study, about.Patient, about.PatientIssuer}
	if !s.readings.begins(who(rq), what, values...) {
		return nil
	}

	about.Detail = what
	rq.Record(audit.LogUsed, audit.Read, about)
	err := rq.Recordable()
	if err != nil {
		s.readings.forget(who(rq), what, values...)
	}
	return err
}

// accessOf is what a record says of whom the filter is about. Of a patient an issuer counts where both name one.
func accessOf(f *audit.Filter, r audit.Record, issuer string) (x access, ok bool) {
	x = access{
		Sequence: r.Sequence, Time: r.Time, Event: r.Event, Did: r.Did(), Outcome: r.Outcome, Principal: r.Principal, Kind: r.Kind,
		Address: r.Peer.Address, Door: r.Door, Rule: r.Rule, Reason: r.Reason,
	}
	for _, o := range r.Objects {
		if o.Person != "" {
			x.Person = o.Person
		}
		one := r
		one.Objects = []audit.Object{o}
		if o.Study == "" && o.Patient == "" || !f.Matches(one) || issuer != "" && o.PatientIssuer != "" && o.PatientIssuer != issuer {
			continue
		}
		ok = true
		x.Study = o.Study
		x.Instances += o.Instances
	}

	return x, ok
}
