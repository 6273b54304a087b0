package api

import (
	"context"
	"strconv"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// Held looks into what is held back.
type Held interface {
	// Found is what the inspection finds in an entry that is held back for that.
	Found(ctx context.Context, q archive.QuarantineEntry) ([]string, error)
	// File is the file of an entry.
	File(ctx context.Context, q archive.QuarantineEntry) ([]byte, error)
}

// registerHeld puts the routes about what is held back on the guard's multiplexer.
func (s *Services) registerHeld(a *webapi.API) {
	a.Handle("GET /api/v1/quarantine", policy.Quarantine, s.quarantine, "after", "limit")
	a.Handle("GET /api/v1/quarantine/{id}", policy.Quarantine, s.heldEntry)
	a.Handle("GET /api/v1/quarantine/{id}/file", policy.Quarantine, s.heldFile)
	a.Handle("POST /api/v1/quarantine/{id}/release", policy.Quarantine, s.releaseHeld)
	a.Handle("DELETE /api/v1/quarantine/{id}", policy.Quarantine, s.destroyHeld)
	a.Proven("POST /api/v1/quarantine/{id}/release", "DELETE /api/v1/quarantine/{id}", "GET /api/v1/quarantine/{id}/file")
	a.Holds(listBytes, "GET /api/v1/quarantine")
	a.Holds(heldFileMost, "GET /api/v1/quarantine/{id}/file")
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/quarantine": webapi.Does("List what is held back, the newest first").Gives(webapi.List[held]{}),
		"GET /api/v1/quarantine/{id}": webapi.Does("Show an entry without drawing it: why it is held back, and what was found in it").
			Gives(heldDetail{}),
		"GET /api/v1/quarantine/{id}/file": webapi.Does("Give the file of an entry, to look into it elsewhere").
			GivesFile("application/octet-stream"),
		"POST /api/v1/quarantine/{id}/release": webapi.Does("Take an entry into the archive after all").GivesNothing(),
		"DELETE /api/v1/quarantine/{id}":       webapi.Does("Remove an entry and its file").GivesNothing(),
	})
}

// heldDetail is an entry with what was found in it.
type heldDetail struct {
	held
	Route string   `json:"route,omitempty"` // of the gate for which it came
	Found []string `json:"found"`           // by the inspection; empty where that is not why
}

func heldNumber(rq *webapi.Request) (int64, error) {
	id, err := strconv.ParseInt(rq.Path("id"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "api: nothing of this number is held back")
	}
	return id, nil
}

func (s *Services) heldEntry(rq *webapi.Request) (any, error) {
	id, err := heldNumber(rq)
	if err != nil {
		return nil, err
	}
	q, err := s.Archive.Quarantined(rq.Context(), id)
	if err != nil {
		return nil, err
	}
	found, err := s.Held.Found(rq.Context(), q)
	if found == nil {
		found = []string{}
	}
	return heldDetail{describe(q), q.Source.Route, found}, err
}

// heldFileMost bounds a file that is given for looking into it, in bytes: larger ones are fetched by command.
const heldFileMost = 64 << 20

// heldFile gives a file that is not trusted: it is saved and never shown, and who took it is recorded.
func (s *Services) heldFile(rq *webapi.Request) (any, error) {
	id, err := heldNumber(rq)
	if err != nil {
		return nil, err
	}
	q, err := s.Archive.Quarantined(rq.Context(), id)
	if err != nil {
		return nil, err
	}
	if q.Instance.Size > heldFileMost {
		return nil, fault.New(fault.TooLarge,
			"api: this file is too large for a browser; 'collimator quarantine show NUMBER --out FILE' writes it")
	}

	b, err := s.Held.File(rq.Context(), q)
	if err != nil {
		return nil, err
	}
	rq.Record(audit.QuarantineChanged, audit.Read, audit.Object{
		Study: q.Instance.StudyUID, Instances: 1, Detail: "the file of number " + rq.Path("id") + " was taken out to be looked into",
	})
	return &webapi.File{Name: "held-" + rq.Path("id") + ".dcm", Type: "application/octet-stream", Body: b}, nil
}

// decider says for the record who decides about an entry.
func decider(rq *webapi.Request) archive.Source {
	by := archive.Source{Principal: rq.Caller().Principal().Name, Address: rq.Address()}
	guard.Credit(rq.Context(), &by)
	return by
}

func (s *Services) releaseHeld(rq *webapi.Request) (any, error) {
	id, err := heldNumber(rq)
	if err != nil {
		return nil, err
	}
	_, err = s.Archive.Release(rq.Context(), id, decider(rq))
	return nil, err
}

func (s *Services) destroyHeld(rq *webapi.Request) (any, error) {
	id, err := heldNumber(rq)
	if err != nil {
		return nil, err
	}
	return nil, s.Archive.Destroy(rq.Context(), id, decider(rq))
}
