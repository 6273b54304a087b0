package api

import (
	"time"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// shareOwner limits whose links a person sees: an administrator sees all.
func shareOwner(p *identity.PersonInfo) string {
	if p.Role == policy.Administrator {
		return ""
	}
	return p.Name
}

func (s *Services) shares(rq *webapi.Request) (any, error) {
	all, err := s.Registry.Shares(rq.Context(), shareOwner(rq.Person()))
	return webapi.NewList(all), err
}

// createShare makes a link to a study that is there.
func (s *Services) createShare(rq *webapi.Request) (any, error) {
	var in struct {
		Study                  string
		Days                   int
		Password, Deidentified bool
	}
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if !uid.Tolerable(in.Study) || in.Days < 1 || in.Days > 92 {
		return nil, fault.New(fault.Invalid, "api: a link needs the UID of a study, and 1 to 92 days")
	}

	found := false
	query := archive.RetrieveQuery{StudyUIDs: []string{in.Study}, Scope: guard.Scope(rq.Context())}
	for _, err := range s.Archive.Retrieve(rq.Context(), query) {
		if err != nil {
			return nil, err
		}
		found = true
		break
	}
	if !found {
		return nil, fault.New(fault.NotFound, "api: nothing is stored under this Study Instance UID")
	}

	share, secret, password, err := s.Registry.CreateShare(rq.Context(), identity.NewShare{
		Owner:        rq.Person().Name,
		Study:        in.Study,
		Deidentified: in.Deidentified,
		Password:     in.Password,
		Lifetime:     time.Duration(in.Days) * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}

	o := audit.Object{Study: in.Study, Detail: "link " + share.ID}
	if o.Patient, o.PatientIssuer, err = s.Archive.PatientOf(rq.Context(), in.Study); err != nil {
		s.Log.Warn("the record of a link does not name its patient", "error", err)
	}
	rq.Record(audit.Export, audit.Create, o)
	return struct {
		identity.Share
		URL          string `json:"link"` // shown only now
		PasswordOnce string `json:"password,omitempty"`
	}{share, s.ShareLinks + secret, password}, nil
}

func (s *Services) revokeShare(rq *webapi.Request) (any, error) {
	if err := s.Registry.RevokeShare(rq.Context(), rq.Path("id"), shareOwner(rq.Person())); err != nil {
		return nil, err
	}
	rq.Record(audit.Export, audit.Delete, audit.Object{Detail: "link " + rq.Path("id") + " revoked"})
	return nil, nil
}
