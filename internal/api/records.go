package api

import (
	"slices"
	"strings"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/webapi"
)

// Bounds of one request: how many records it looks at for those that match, and
// how many objects those of a page have together, which are up to a hundred each.
const (
	lookMost    = 20_000
	objectsMost = 5_000
)

// records gives a page of the audit trail, oldest first, after a sequence
// number. A page may hold fewer than there are, or none, and still name a next.
func (s *Services) records(rq *webapi.Request) (any, error) {
	after, err := rq.Number("after", -1, -1, 1<<62)
	if err != nil {
		return nil, err
	}

	limit, err := rq.Number("limit", 100, 1, pageMost)
	if err != nil {
		return nil, err
	}

	filter, err := s.filter(rq)
	if err != nil {
		return nil, err
	}

	if err := s.recordReading(rq); err != nil {
		return nil, err
	}

	out := webapi.NewList[audit.Record](nil)
	looked, objects := 0, 0
	for r, err := range s.Trail.After(rq.Context(), after) {
		if err != nil {
			return nil, err
		}
		if filter.Matches(r) {
			out.Items = append(out.Items, r)
			objects += len(r.Objects)
		}
		after = r.Sequence
		if looked++; looked >= lookMost || objects >= objectsMost || int64(len(out.Items)) >= limit {
			out.Next = &after
			break
		}
	}
	return out, nil
}

// recordParameters are those by which the trail is searched; docs/api.md says how.
func recordParameters() []string {
	return []string{"after", "limit", "event", "principal", "person", "patient", "study", "address", "door",
		"action", "failed", "since", "until"}
}

// filterMost is the longest value of a filter, in bytes.
const filterMost = 256

// filter reads the parameters of a search in the trail; a malformed one is an error of
// kind Invalid that names it. A patient stands for the studies that the archive has
// of them.
func (s *Services) filter(rq *webapi.Request) (f audit.Filter, err error) {
	for _, name := range recordParameters() {
		if len(rq.Query(name)) > filterMost {
			return f, fault.Newf(fault.Invalid, "api: %s is too long", name)
		}
	}

	f = audit.Filter{
		Event:     audit.Event(rq.Query("event")),
		Principal: rq.Query("principal"),
		Person:    rq.Query("person"),
		Patient:   rq.Query("patient"),
		Study:     rq.Query("study"),
		Address:   rq.Query("address"),
		Door:      audit.Door(rq.Query("door")),
	}
	if f.Door != "" && !slices.Contains(audit.Doors(), f.Door) {
		return f, fault.New(fault.Invalid, "api: door is one of "+doorNames())
	}
	if f.Event != "" && !audit.Known(f.Event) {
		return f, fault.New(fault.Invalid, "api: event is not one of those that are recorded; docs/api.md lists them")
	}

	switch rq.Query("failed") {
	case "", "false":
	case "true":
		f.Failed = true
	default:
		return f, fault.New(fault.Invalid, "api: failed is true or false")
	}

	if f.Did, err = audit.ParseDeed(rq.Query("action")); err != nil {
		return f, err
	}
	if f.Since, err = audit.ParseTime(rq.Query("since"), false); err != nil {
		return f, err
	}
	if f.Until, err = audit.ParseTime(rq.Query("until"), true); err != nil {
		return f, err
	}

	if f.Patient == "" {
		return f, nil
	}
	studies, err := s.Archive.StudiesOf(rq.Context(), f.Patient)
	f.Studies = audit.Set(studies)
	return f, err
}

func doorNames() string {
	var names []string
	for _, d := range audit.Doors() {
		names = append(names, string(d))
	}

	return strings.Join(names, ", ")
}
