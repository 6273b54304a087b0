package api

import (
	"slices"
	"strings"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// registerStudies puts the routes about studies on the guard's multiplexer. Who may search sees
// what the scope holds.
func (s *Services) registerStudies(a *webapi.API) {
	a.Handle("GET /api/v1/studies", policy.Query, s.studies, append(studyFilters(), "sort", "limit", "cursor")...)
	a.Handle("GET /api/v1/studies/{uid}", policy.Query, s.study)
	a.Handle("GET /api/v1/studies/{uid}/instances", policy.Query, s.images, "series", "limit", "cursor")
	a.Handle("GET /api/v1/studies/{uid}/proof", policy.Query, s.proofs, "instance", "limit", "cursor")
	a.Handle("GET /api/v1/studies/{uid}/accesses", policy.Query, s.studyAccesses, "after", "limit")
	a.Handle("GET /api/v1/patients/accesses", policy.Audit, s.patientAccesses, "patientID", "issuer", "after", "limit")
	a.Handle("DELETE /api/v1/studies/{uid}", policy.Delete, s.deleteStudy)
	a.Handle("PUT /api/v1/studies/{uid}/labels", policy.Label, s.labelStudy)
	a.Handle("POST /api/v1/studies/{uid}/open", policy.Query, s.openStudy)
	a.Proven("DELETE /api/v1/studies/{uid}", "POST /api/v1/studies/{uid}/open")
	a.Holds(listBytes, "GET /api/v1/studies", "GET /api/v1/studies/{uid}", "GET /api/v1/studies/{uid}/instances",
		"GET /api/v1/studies/{uid}/proof", "GET /api/v1/studies/{uid}/accesses", "GET /api/v1/patients/accesses")
	s.describeStudies(a)
}

// studyFilters are the parameters by which studies are looked for.
func studyFilters() []string {
	return []string{"name", "patientID", "accession", "q", "from", "to", "modality", "source", "receivedFrom", "receivedTo",
		"label", "status", "description"}
}

// personName is the groups of a person name (PS3.5 6.2.1).
type personName struct {
	Alphabetic  string `json:"alphabetic,omitempty"`
	Ideographic string `json:"ideographic,omitempty"`
	Phonetic    string `json:"phonetic,omitempty"`
}

// ListedStudy is a study as lists show it, also those of the command.
type ListedStudy struct {
	StudyInstanceUID       string     `json:"studyInstanceUID"`
	PatientName            personName `json:"patientName"`
	PatientID              string     `json:"patientID,omitempty"`
	IssuerOfPatientID      string     `json:"issuerOfPatientID,omitempty"`
	PatientBirthDate       string     `json:"patientBirthDate,omitempty"` // YYYY-MM-DD
	PatientSex             string     `json:"patientSex,omitempty"`
	AccessionNumber        string     `json:"accessionNumber,omitempty"`
	StudyID                string     `json:"studyID,omitempty"`
	StudyDate              string     `json:"studyDate,omitempty"` // YYYY-MM-DD
	StudyTime              string     `json:"studyTime,omitempty"` // HH:MM:SS
	StudyDescription       string     `json:"studyDescription,omitempty"`
	ReferringPhysicianName string     `json:"referringPhysicianName,omitempty"`
	Modalities             []string   `json:"modalities"`
	SeriesCount            int64      `json:"seriesCount"`
	InstanceCount          int64      `json:"instanceCount"`
	Bytes                  int64      `json:"bytes"`
	Received               time.Time  `json:"received"` // first instance
	LastReceived           time.Time  `json:"lastReceived"`
	Sources                []string   `json:"sources"`
	Labels                 []string   `json:"labels"`
	Status                 string     `json:"status,omitempty"`
	Note                   string     `json:"note,omitempty"`
	MarkedBy               string     `json:"markedBy,omitempty"` // who said labels, status and note
	Marked                 *time.Time `json:"marked,omitempty"`
}

// studyList is a page of studies.
type studyList struct {
	Items []ListedStudy `json:"items"`
	// Total is how many studies there are in all; TotalAtLeast stands in its place where counting all
	// of them would look at too many rows.
	Total        *int64 `json:"total,omitempty"`
	TotalAtLeast *int64 `json:"totalAtLeast,omitempty"`
	// Next and Previous go into the query as "cursor"; missing at the ends.
	Next     string `json:"next,omitempty"`
	Previous string `json:"previous,omitempty"`
}

// ShowStudy makes it of what the archive says.
func ShowStudy(x *archive.ListedStudy) ListedStudy {
	out := ListedStudy{
		StudyInstanceUID: x.UID, PatientName: personName(x.PatientName), PatientID: x.PatientID, IssuerOfPatientID: x.Issuer,
		PatientBirthDate: day(x.BirthDate), PatientSex: x.Sex, AccessionNumber: x.Accession, StudyID: x.ID, StudyDate: day(x.Date),
		StudyTime: clock(x.Time), StudyDescription: x.Description, ReferringPhysicianName: x.ReferringPhysicianName,
		Modalities: filled(x.Modalities), SeriesCount: x.Series, InstanceCount: x.Instances, Bytes: x.Bytes,
		Received: x.Received, LastReceived: x.LastReceived, Sources: filled(x.Sources),
		Labels: filled(x.Mark.Labels), Status: x.Mark.Status, Note: x.Mark.Note, MarkedBy: x.Mark.Person,
	}
	if !x.Mark.Changed.IsZero() {
		out.Marked = &x.Mark.Changed
	}

	return out
}

// ofTheHouse reports who works here, and not somebody outside to whom studies were granted: what is said of a study
// and who looked at it is for them.
func (s *Services) ofTheHouse(rq *webapi.Request) bool {
	may := s.May(rq.Caller())
	return slices.Contains(may, policy.Label) || slices.Contains(may, policy.Audit)
}

// without is a study without what people of the house say of it.
func (x ListedStudy) without() ListedStudy {
	x.Labels, x.Status, x.Note, x.MarkedBy, x.Marked = []string{}, "", "", "", nil
	return x
}

// show makes a study of what the archive says, for who asks.
func (s *Services) show(rq *webapi.Request, x *archive.ListedStudy) ListedStudy {
	out := ShowStudy(x)
	if !s.ofTheHouse(rq) {
		out = out.without()
	}
	return out
}

var errOutside = fault.New(fault.Denied, "api: who looked at a study, and what is said of it, is for people of the house")

// filled is a list that clients never see as null.
func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// day writes a date of DICOM as the API writes days.
func day(date string) string {
	if len(date) != 8 {
		return ""
	}
	return date[:4] + "-" + date[4:6] + "-" + date[6:]
}

// clock writes a time of DICOM with colons, as far as it goes, without fractions.
func clock(t string) string {
	t, _, _ = strings.Cut(t, ".")
	var parts []string
	for ; len(t) >= 2; t = t[2:] {
		parts = append(parts, t[:2])
	}
	return strings.Join(parts, ":")
}

// studies gives a page of studies. What was searched by whom is recorded before it leaves, as the
// search of a device is.
func (s *Services) studies(rq *webapi.Request) (any, error) {
	q, err := studyQuery(rq)
	if err != nil {
		return nil, err
	}
	if q.Filter.Label+q.Filter.Status != "" && !s.ofTheHouse(rq) {
		return nil, errOutside
	}
	page, err := s.Archive.List(rq.Context(), q)
	if err != nil {
		return nil, err
	}
	if err := searched(rq, "STUDY /studies", studyFilters(), audit.Object{Matches: len(page.Studies)}); err != nil {
		return nil, err
	}

	out := studyList{Items: []ListedStudy{}, Next: string(page.Next), Previous: string(page.Previous)}
	for i := range page.Studies {
		out.Items = append(out.Items, s.show(rq, &page.Studies[i]))
	}
	out.Total = &page.Total
	if page.AtLeast {
		out.Total, out.TotalAtLeast = nil, &page.Total
	}
	return out, nil
}

func studyQuery(rq *webapi.Request) (q archive.ListQuery, err error) {
	limit, err := rq.Number("limit", 50, 1, archive.ListMost)
	if err != nil {
		return q, err
	}
	q = archive.ListQuery{
		Sort: archive.StudySort(rq.Query("sort")), Limit: int(limit), Cursor: archive.Cursor(rq.Query("cursor")),
		Scope: guard.Scope(rq.Context()),
		Filter: archive.StudyFilter{
			Name: rq.Query("name"), Description: rq.Query("description"), Text: rq.Query("q"), PatientID: rq.Query("patientID"),
			Accession: rq.Query("accession"), Source: rq.Query("source"), Label: rq.Query("label"), Status: rq.Query("status"),
		},
	}
	if list := rq.Query("modality"); list != "" {
		q.Filter.Modalities = strings.Split(list, ",")
		if len(q.Filter.Modalities) > 32 {
			return q, fault.New(fault.Invalid, "api: modality has at most 32 values")
		}
	}

	for _, x := range []struct {
		name string
		to   *string
	}{{"from", &q.Filter.From}, {"to", &q.Filter.To}} {
		if text := rq.Query(x.name); text != "" {
			d, err := time.Parse(time.DateOnly, text)
			if err != nil {
				return q, fault.Newf(fault.Invalid, "api: %s is a day such as 2026-12-31", x.name)
			}
			*x.to = d.Format("20060102")
		}
	}
	if q.Filter.ReceivedFrom, err = audit.ParseTime(rq.Query("receivedFrom"), false); err != nil {
		return q, err
	}
	q.Filter.ReceivedTo, err = audit.ParseTime(rq.Query("receivedTo"), true)

	return q, err
}

// searched records what was looked for: the names of what restricts it, without values. Where nothing can be
// recorded the error is of fault.Unavailable and nothing leaves.
func searched(rq *webapi.Request, what string, parameters []string, o audit.Object) error {
	words := []string{what}
	for _, name := range parameters {
		if rq.Query(name) != "" {
			words = append(words, name)
		}
	}
	o.Query = strings.Join(words, " ")
	rq.Record(audit.Query, audit.Execute, o)

	return rq.Recordable()
}
