package api

import (
	"net/url"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// openMinutes is how long a viewer may read a study with the token it was given.
const openMinutes = 10

// openedStudy is what a viewer on the desktop needs to read one study.
type openedStudy struct {
	Token    string    `json:"token"` // shown only now
	Expires  time.Time `json:"expires"`
	DICOMweb string    `json:"dicomWeb"`
	// Weasis and Slicer are addresses that start the program with the study; the token stands in them.
	Weasis string `json:"weasis"`
	Slicer string `json:"slicer"`
	// RadiAnt asks by DICOM, under the AE title by which this archive is registered in it, and takes no token.
	RadiAnt string `json:"radiant"`
}

// openStudy makes a token that reads one study for ten minutes, for somebody who is signed in.
func (s *Services) openStudy(rq *webapi.Request) (any, error) {
	if rq.ByToken() {
		return nil, fault.New(fault.Denied, "api: a token makes no other, only a person who is signed in")
	}
	d, o, err := s.seen(rq)
	if err != nil {
		return nil, err
	}

	verbs, _ := policy.Scope("read")
	t, secret, err := s.Registry.CreateToken(rq.Context(), rq.Person().Name, verbs, []string{d.UID}, openMinutes*time.Minute)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.PersonChanged, audit.Create, audit.Object{Person: t.Owner, Study: o.Study, Patient: o.Patient,
		PatientIssuer: o.PatientIssuer, Detail: "token " + t.ID + " read, for a viewer"})

	return openedStudy{
		Token: secret, Expires: t.Expires, DICOMweb: s.DICOMweb,
		Weasis: "weasis://?" + url.PathEscape(`$dicom:rs --url "`+s.DICOMweb+`" -r "studyUID=`+d.UID+
			`" -H "Authorization: Bearer `+secret+`"`),
		Slicer: "slicer://viewer/?studyUID=" + url.QueryEscape(d.UID) + "&access_token=" + url.QueryEscape(secret) +
			"&dicomweb_endpoint=" + url.QueryEscape(s.DICOMweb),
		RadiAnt: "radiant://?n=paet&v=" + url.PathEscape(s.AETitle) + "&n=pstv&v=0020000D&v=" + url.PathEscape(`"`+d.UID+`"`),
	}, nil
}
