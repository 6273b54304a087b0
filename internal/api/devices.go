package api

import (
	"strconv"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

func (s *Services) devices(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Devices(rq.Context())
	return webapi.NewList(all), err
}

func (s *Services) pending(rq *webapi.Request) (any, error) {
	all, err := s.Registry.ListPending(rq.Context())
	return webapi.NewList(all), err
}

// approval says what an approved caller may do. A caller that came without TLS
// needs the last day on which it may.
type approval struct {
	Allow          []string `json:"allow"`
	Address        string   `json:"address,omitempty"`
	Listen         string   `json:"listen,omitempty"`
	MoveTo         []string `json:"moveTo,omitempty"`
	PlaintextUntil string   `json:"plaintextUntil,omitempty"` // as 2026-12-31
	// NoCertificateUntil is the same for one that came with TLS and without a certificate.
	NoCertificateUntil string `json:"noCertificateUntil,omitempty"`
	// Fingerprint is the one that was compared; it must be that of the entry.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// approve registers a refused caller. A title that is registered already is
// changed with the command alone, which keeps what is not named.
func (s *Services) approve(rq *webapi.Request) (any, error) {
	id, err := strconv.ParseInt(rq.Path("id"), 10, 64)
	if err != nil {
		return nil, fault.New(fault.NotFound, "api: no refused caller has this number")
	}

	var in approval
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	p, err := s.find(rq, id)
	if err != nil {
		return nil, err
	}
	if in.Fingerprint != p.Fingerprint {
		return nil, fault.New(fault.Conflict, "api: the fingerprint is not that of this caller; look again")
	}

	d, err := in.device(p)
	if err != nil {
		return nil, err
	}

	if _, err := s.Registry.Device(rq.Context(), d.AETitle); fault.Of(err) != fault.NotFound {
		if err == nil {
			err = fault.New(fault.Conflict, "api: this AE title is registered already; 'collimator device approve' changes it")
		}
		return nil, err
	}

	if err := s.Registry.Approve(rq.Context(), id, d); err != nil {
		return nil, err
	}
	rq.Record(audit.DeviceChanged, audit.Create, audit.Object{Device: d.AETitle, Detail: "approved " + strings.Join(in.Allow, " ")})
	return s.Registry.Device(rq.Context(), d.AETitle)
}

func (s *Services) find(rq *webapi.Request, id int64) (identity.Pending, error) {
	all, err := s.Registry.ListPending(rq.Context())
	if err != nil {
		return identity.Pending{}, err
	}
	for _, p := range all {
		if p.ID == id {
			return p, nil
		}
	}
	return identity.Pending{}, fault.New(fault.NotFound, "api: no refused caller has this number")
}

func (in approval) device(p identity.Pending) (identity.Device, error) {
	d := identity.Device{AETitle: p.CallingAETitle, Address: in.Address, Listen: in.Listen, Destinations: in.MoveTo}
	for _, title := range append([]string{d.AETitle}, in.MoveTo...) {
		if err := validAE(title); err != nil {
			return d, err
		}
	}

	var err error
	if d.Verbs, err = policy.ParseVerbs(strings.Join(in.Allow, ",")); err != nil {
		return d, fault.New(fault.Invalid, "api: allow holds echo, store, query, retrieve or commit")
	}

	for _, x := range []struct {
		field, last string
		to          *time.Time
	}{
		{"plaintextUntil", in.PlaintextUntil, &d.PlaintextUntil},
		{"noCertificateUntil", in.NoCertificateUntil, &d.NoCertificateUntil},
	} {
		if x.last == "" {
			continue
		}
		if d.Address == "" {
			d.Address = p.Address
		}
		day, err := time.ParseInLocation(time.DateOnly, x.last, time.Local)
		if err != nil || !day.AddDate(0, 0, 1).After(time.Now()) {
			return d, fault.Newf(fault.Invalid, "api: %s is a date to come, as 2026-12-31", x.field)
		}
		*x.to = day.AddDate(0, 0, 1)
	}
	return d, nil
}
