package api

import (
	"bytes"
	"time"

	"rsc.io/qr"

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

// newLink is a link to be made.
type newLink struct {
	Study        string `json:"study"` // its UID, or ROUTE/UID
	Days         int    `json:"days"`
	Password     bool   `json:"password,omitempty"`
	Deidentified bool   `json:"deidentified,omitempty"`
}

// madeLink is a link with its address and its password.
type madeLink struct {
	identity.Share
	URL          string `json:"link"` // shown only now
	PasswordOnce string `json:"password,omitempty"`
	// QR is the address as a picture: rows of 0 and 1, dark.
	QR []string `json:"qr"`
}

// createShare makes a link to a study that is there.
func (s *Services) createShare(rq *webapi.Request) (any, error) {
	var in newLink
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	route, study := policy.PlaceOf(in.Study)
	if !uid.Tolerable(study) || route == "" && study != in.Study || in.Days < 1 || in.Days > 92 {
		return nil, fault.New(fault.Invalid, "api: a link needs the UID of a study, ROUTE/UID for one of a route, and 1 to 92 days")
	}
	o, err := s.linked(rq, route, study)
	if err != nil {
		return nil, err
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

	o.Detail = "link " + share.ID
	rq.Record(audit.Export, audit.Create, o)
	address := s.ShareLinks + secret
	picture, err := squares(address)
	return madeLink{share, address, password, picture}, err
}

// squares is a text as a QR code, a row each.
func squares(text string) ([]string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "api: QR code of a link")
	}
	rows := make([]string, code.Size)
	for y := range rows {
		row := bytes.Repeat([]byte{'0'}, code.Size)
		for x := range row {
			if code.Black(x, y) {
				row[x] = '1'
			}
		}
		rows[y] = string(row)
	}
	return rows, nil
}

// linked names a study in the record of its link: fault.NotFound where nothing of it is stored.
func (s *Services) linked(rq *webapi.Request, route, study string) (o audit.Object, err error) {
	o = audit.Object{Study: study}
	if route != "" {
		o.Patient, o.PatientIssuer, err = s.StudyAt(rq.Context(), route, study)
		return o, err
	}

	found := false
	query := archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: guard.Scope(rq.Context())}
	for _, err := range s.Archive.Retrieve(rq.Context(), query) {
		if err != nil {
			return o, err
		}
		found = true
		break
	}
	if !found {
		return o, fault.New(fault.NotFound, "api: nothing is stored under this Study Instance UID")
	}
	if o.Patient, o.PatientIssuer, err = s.Archive.PatientOf(rq.Context(), study); err != nil {
		s.Log.Warn("the record of a link does not name its patient", "error", err)
	}
	return o, nil
}

func (s *Services) revokeShare(rq *webapi.Request) (any, error) {
	if err := s.Registry.RevokeShare(rq.Context(), rq.Path("id"), shareOwner(rq.Person())); err != nil {
		return nil, err
	}
	rq.Record(audit.Export, audit.Delete, audit.Object{Detail: "link " + rq.Path("id") + " revoked"})
	return nil, nil
}
