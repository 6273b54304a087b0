package api

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/guard"
	"collimator/internal/inventory"
	"collimator/internal/policy"
	"collimator/internal/posture"
	"collimator/internal/report"
	"collimator/internal/webapi"
)

// registerSurface puts the routes about systems, issues, reports and scans on
// the guard's multiplexer.
func (s *Services) registerSurface(a *webapi.API) {
	a.Handle("GET /api/v1/assets", policy.Surface, s.assets, "after", "limit", "refused")
	a.Handle("GET /api/v1/assets/{id}", policy.Surface, s.asset)
	a.Handle("POST /api/v1/assets/{id}/merge", policy.Configure, s.merge)
	a.Handle("GET /api/v1/issues", policy.Surface, s.issues, "after", "limit", "severity", "state", "asset")
	a.Handle("POST /api/v1/issues/{id}/accept", policy.Configure, s.accept)
	a.Handle("GET /api/v1/changes", policy.Surface, s.changes, "after", "limit", "since", "asset")
	a.Handle("GET /api/v1/advisories/{id}", policy.Surface, s.advisory)
	a.Handle("GET /api/v1/report", policy.Surface, s.report, "format", "since")
	a.Handle("GET /api/v1/scans", policy.Surface, s.scans)
	a.Handle("POST /api/v1/scans", policy.Scan, s.startScan)
	a.Handle("GET /api/v1/scans/{id}", policy.Surface, s.scan)
	a.Handle("DELETE /api/v1/scans/{id}", policy.Scan, s.stopScan)
	s.describeSurface(a)
	a.Holds(surfaceBytes, "GET /api/v1/assets", "GET /api/v1/issues", "GET /api/v1/changes", "GET /api/v1/report", "GET /api/v1/scans")
}

// slice gives a page of a list that is there as a whole; "after" is how many
// entries one has.
func slice[T any](rq *webapi.Request, all []T) (any, error) {
	after, err := rq.Number("after", 0, 0, 1<<40)
	if err != nil {
		return nil, err
	}

	limit, err := rq.Number("limit", 100, 1, pageMost)
	if err != nil {
		return nil, err
	}

	from := min(after, int64(len(all)))
	to := min(from+limit, int64(len(all)))
	out := webapi.NewList(all[from:to])
	if to < int64(len(all)) {
		out.Next = &to
	}
	return out, nil
}

func (s *Services) assets(rq *webapi.Request) (any, error) {
	all, err := s.Posture.Inventory.Assets(rq.Context())
	if err != nil {
		return nil, err
	}
	if rq.Query("refused") != "true" {
		all = slices.DeleteFunc(all, func(a *inventory.Asset) bool { return a.Refused })
	}
	return slice(rq, all)
}

// assetDetail is one system with its issues.
type assetDetail struct {
	*inventory.Asset
	Issues []inventory.Issue `json:"issues"`
}

func (s *Services) asset(rq *webapi.Request) (any, error) {
	a, err := s.Posture.Inventory.Asset(rq.Context(), rq.Path("id"))
	if err != nil {
		return nil, err
	}
	issues, err := s.Posture.Inventory.Issues(rq.Context(), a.ID)
	if issues == nil {
		issues = []inventory.Issue{}
	}
	return assetDetail{a, issues}, err
}

// merger names the system that another is too.
type merger struct {
	From string `json:"from"`
}

// merge makes one of two systems; what is known about "from" goes to the one in the path.
func (s *Services) merge(rq *webapi.Request) (any, error) {
	var in merger
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	into := rq.Path("id")
	if err := s.Posture.Inventory.Merge(rq.Context(), into, in.From); err != nil {
		return nil, err
	}
	rq.Record(audit.InventoryChanged, audit.Update, audit.Object{Device: into, Detail: "merged with " + in.From})
	return s.Posture.Inventory.Asset(rq.Context(), into)
}

// issues lists what is wrong, the worst first: what is open and accepted, or by "state".
func (s *Services) issues(rq *webapi.Request) (any, error) {
	var least finding.Severity
	if word := rq.Query("severity"); word != "" && least.UnmarshalText([]byte(word)) != nil {
		return nil, fault.New(fault.Invalid, "api: severity is critical, high, medium, low or info")
	}

	state := inventory.State(rq.Query("state"))
	if !slices.Contains([]inventory.State{"", inventory.Open, inventory.Accepted, inventory.Fixed}, state) {
		return nil, fault.New(fault.Invalid, "api: state is open, accepted or fixed")
	}

	all, err := s.Posture.Inventory.Issues(rq.Context(), rq.Query("asset"))
	if err != nil {
		return nil, err
	}

	return slice(rq, slices.DeleteFunc(all, func(i inventory.Issue) bool {
		return i.Severity < least || state == "" && i.State == inventory.Fixed || state != "" && i.State != state
	}))
}

// acceptance is until when an issue is lived with, and why.
type acceptance struct {
	Until  string `json:"until"` // as 2026-12-31
	Reason string `json:"reason"`
}

// accept says that an issue is lived with until a day, by who is signed in.
func (s *Services) accept(rq *webapi.Request) (any, error) {
	var in acceptance
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	day, err := parseDay(in.Until)
	if err != nil {
		return nil, err
	}

	id := rq.Path("id")
	if err := s.Posture.Inventory.Accept(rq.Context(), id, day.AddDate(0, 0, 1), rq.Person().Name, in.Reason); err != nil {
		return nil, err
	}

	rq.Record(audit.InventoryChanged, audit.Update, audit.Object{Detail: "issue " + id + " accepted until " + in.Until})
	return s.Posture.Inventory.IssueByID(rq.Context(), id)
}

func parseDay(text string) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		return day, fault.New(fault.Invalid, "api: want a day such as 2026-12-31")
	}
	return day, nil
}

// since reads the parameter of that name; standard where it is missing.
func since(rq *webapi.Request, standard time.Time) (time.Time, error) {
	text := rq.Query("since")
	if text == "" {
		return standard, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	return parseDay(text)
}

// changesMost bounds the changes that are looked through.
const changesMost = 50_000

func (s *Services) changes(rq *webapi.Request) (any, error) {
	from, err := since(rq, time.Now().AddDate(0, 0, -7))
	if err != nil {
		return nil, err
	}
	all, err := s.Posture.Inventory.Changes(rq.Context(), from, changesMost)
	if err != nil {
		return nil, err
	}
	if asset := rq.Query("asset"); asset != "" {
		all = slices.DeleteFunc(all, func(c inventory.Change) bool { return c.Asset != asset })
	}
	return slice(rq, all)
}

func (s *Services) advisory(rq *webapi.Request) (any, error) {
	table, err := s.Posture.Inventory.Advisories(rq.Context())
	if err != nil {
		return nil, err
	}
	found := table.Find(rq.Path("id"))
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "api: no advisory of this id is known here")
	}
	return webapi.NewList(found), nil
}

// report gives the report as JSON to look at, or as a file. A file counts as a
// report that was made: the next one says what changed since.
func (s *Services) report(rq *webapi.Request) (any, error) {
	form := rq.Query("format")
	forms := map[string]struct {
		media string
		write func(io.Writer, *report.Report) error
	}{
		"html":  {"text/html; charset=utf-8", report.HTML},
		"pdf":   {"application/pdf", report.PDF},
		"csv":   {"text/csv; charset=utf-8", report.CSV},
		"sarif": {"application/sarif+json", report.SARIF},
	}

	f, file := forms[form]
	if !file && form != "" && form != "json" {
		return nil, fault.New(fault.Invalid, "api: format is json, html, pdf, csv or sarif")
	}

	from, err := since(rq, time.Time{})
	if err != nil {
		return nil, err
	}
	r, err := s.Posture.Report(rq.Context(), from, file)
	if err != nil || !file {
		return r, err
	}

	var b bytes.Buffer
	if err := f.write(&b, r); err != nil {
		return nil, err
	}
	rq.Record(audit.ReportMade, audit.Read, audit.Object{Detail: "report as " + form})
	return &webapi.File{Name: fmt.Sprintf("posture-%s.%s", r.Made.Format(time.DateOnly), form), Type: f.media, Body: b.Bytes()}, nil
}

func (s *Services) scans(*webapi.Request) (any, error) { return webapi.NewList(s.Posture.Jobs()), nil }

// scanOrder is a scan to be made.
type scanOrder struct {
	Targets       []string `json:"targets"` // addresses, ranges and names of the declared scope
	Ports         string   `json:"ports,omitempty"`
	CalledAETitle string   `json:"calledAETitle,omitempty"`
}

// startScan begins a scan of targets in the declared scope.
func (s *Services) startScan(rq *webapi.Request) (any, error) {
	var in scanOrder
	if err := rq.Read(&in); err != nil {
		return nil, err
	}

	if in.CalledAETitle != "" {
		if err := validAE(in.CalledAETitle); err != nil {
			return nil, err
		}
	}

	for i := range in.Targets {
		in.Targets[i] = strings.TrimSpace(in.Targets[i])
	}

	return s.Posture.Start(rq.Context(), posture.Order{
		Targets:       in.Targets,
		Ports:         in.Ports,
		CalledAETitle: in.CalledAETitle,
		Kind:          string(policy.Person),
		By:            rq.Person().Name,
		Address:       guard.Address(rq.Context()),
		Door:          audit.DoorAPI,
	})
}

func (s *Services) scan(rq *webapi.Request) (any, error) { return s.Posture.Job(rq.Path("id")) }

// stopScan ends a scan in order; what was found stays.
func (s *Services) stopScan(rq *webapi.Request) (any, error) {
	id := rq.Path("id")
	if err := s.Posture.Stop(rq.Context(), id); err != nil {
		return nil, err
	}
	rq.Record(audit.Scanned, audit.Execute, audit.Object{Detail: "scan " + id + " stopped"})
	return s.Posture.Job(id)
}
