package api

import (
	"strconv"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/enrolment"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/webapi"
)

func (s *Services) devices(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Devices(rq.Context())
	return webapi.NewList(all), err
}

// Echo is what came of a C-ECHO.
type Echo struct {
	Answered     bool    `json:"answered"`
	Milliseconds float64 `json:"milliseconds"`
	Why          string  `json:"why,omitempty"` // there was no answer: unreachable, tls, rejected, status, other
}

// echo asks a device whether it answers. That it does not is an answer, too.
func (s *Services) echo(rq *webapi.Request) (any, error) {
	x, err := s.EchoDevice(rq.Context(), rq.Path("aet"))
	if err != nil {
		return nil, err
	}
	detail := "C-ECHO to the device: it answered"
	if !x.Answered {
		detail = "C-ECHO to the device: it did not answer"
	}
	rq.Record(audit.Verification, audit.Execute, audit.Object{Device: rq.Path("aet"), Detail: detail})
	return x, nil
}

func (s *Services) pending(rq *webapi.Request) (any, error) {
	all, err := s.Registry.ListPending(rq.Context())
	return webapi.NewList(all), err
}

// grant is what a device may do and how it is recognised, as a request has it. Days count to their end.
type grant struct {
	Allow          *[]string `json:"allow,omitempty"` // echo, store, query, retrieve, commit; without it what a modality needs
	Address        string    `json:"address,omitempty"`
	Listen         string    `json:"listen,omitempty"`
	MoveTo         []string  `json:"moveTo,omitempty"`
	PlaintextUntil string    `json:"plaintextUntil,omitempty"` // as 2026-12-31: lets it in without TLS until then
	// NoCertificateUntil is the same for one that comes with TLS and without a certificate.
	NoCertificateUntil string `json:"noCertificateUntil,omitempty"`
}

// entry is the grant in the form of the desk.
func (g grant) entry() enrolment.Grant {
	return enrolment.Grant{
		Allow: joined(g.Allow), Address: g.Address, Listen: g.Listen, MoveTo: g.MoveTo,
		Plaintext: g.PlaintextUntil != "", Until: g.PlaintextUntil, NoCertificateUntil: g.NoCertificateUntil,
	}
}

// joined are verbs with commas between them; nil where none are named.
func joined(verbs *[]string) *string {
	if verbs == nil {
		return nil
	}
	text := strings.Join(*verbs, ",")
	return &text
}

// approval lets a refused caller in.
type approval struct {
	grant
	// Fingerprint is the one that was compared; it must be that of the entry.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// approve registers a refused caller, or lets a registered device come with the certificate it showed.
func (s *Services) approve(rq *webapi.Request) (any, error) {
	id, err := strconv.ParseInt(rq.Path("id"), 10, 64)
	if err != nil {
		return nil, errNoCaller
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
	d, err := s.desk().Approve(rq.Context(), p, in.entry(), false)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.DeviceChanged, audit.Create, enrolment.Words(d, "approved"))
	return s.Registry.Device(rq.Context(), d.AETitle)
}

var errNoCaller = fault.New(fault.NotFound, "api: no refused caller has this number")

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
	return identity.Pending{}, errNoCaller
}

// forget deletes the entry of a refused caller, who appears again when they call again.
func (s *Services) forget(rq *webapi.Request) (any, error) {
	id, err := strconv.ParseInt(rq.Path("id"), 10, 64)
	if err != nil {
		return nil, errNoCaller
	}
	p, err := s.find(rq, id)
	if err != nil {
		return nil, err
	}
	if err := s.Registry.Forget(rq.Context(), id); err != nil {
		return nil, err
	}
	rq.Record(audit.DeviceChanged, audit.Delete, audit.Object{Device: p.CallingAETitle, Detail: "a refused caller is forgotten"})
	return nil, nil
}
