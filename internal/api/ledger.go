package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
	"collimator/internal/webapi"
)

// Ledger is the log that proves what was recorded.
type Ledger interface {
	// Checkpoint is the signed one of all that was appended, and how many leaves that is; fault.NotFound while
	// there are none.
	Checkpoint(ctx context.Context) (signed string, leaves int64, err error)
	Key() string
	// Verify holds the trail and the registers against the log, and gives what is not as it was recorded.
	Verify(ctx context.Context, progress func()) (Verified, error)
}

// Verified is what came of a verification.
type Verified struct {
	Leaves      int64     `json:"leaves"`
	Checkpoints int       `json:"checkpoints"` // of the witness, with which the log was compared
	Problems    []Problem `json:"problems"`
}

// Problem is one thing that is not as it was recorded.
type Problem struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// ledgerState is the checkpoint with what verifies it.
type ledgerState struct {
	Leaves     int64  `json:"leaves"`
	Checkpoint string `json:"checkpoint"` // C2SP tlog-checkpoint; keep it where this machine cannot write
	Key        string `json:"key"`
}

// registerLedger puts the routes about the log and the trail on the guard's multiplexer.
func (s *Services) registerLedger(a *webapi.API) {
	a.Handle("GET /api/v1/ledger", policy.Verify, s.ledger)
	a.Lasting("GET /api/v1/ledger/verification", policy.Verify, s.verify)
	a.Handle("GET /api/v1/audit", policy.Audit, s.records, recordParameters()...)
	a.Lasting("GET /api/v1/audit/export", policy.Audit, s.exportRecords, append(recordParameters(), "form")...)
	a.Holds(listBytes, "GET /api/v1/audit")
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/ledger": webapi.Does("Give the signed checkpoint and the key that verifies it").Gives(ledgerState{}),
		"GET /api/v1/ledger/verification": webapi.
			Does("Hold the trail and the registers against the log, by server-sent events: progress, done, failed").
			GivesFile("text/event-stream"),
		"GET /api/v1/audit": describeRecords(),
		"GET /api/v1/audit/export": filtered(webapi.Does("Give all records that match as a file").
			GivesFile("application/x-ndjson").With("form", "json, dicom (audit messages in XML) or fhir (AuditEvent); json without it")),
	})
}

func (s *Services) ledger(rq *webapi.Request) (any, error) {
	signed, leaves, err := s.Ledger.Checkpoint(rq.Context())
	if err != nil && fault.Of(err) != fault.NotFound {
		return nil, err
	}
	return ledgerState{Leaves: leaves, Checkpoint: signed, Key: s.Ledger.Key()}, nil
}

// verifyTells is how often it is said how far a verification is.
const verifyTells = 500 * time.Millisecond

// verify tells how far a verification is, and what came of it. One runs at a time: it reads the whole log.
func (s *Services) verify(rq *webapi.Request) (any, error) {
	if !s.verifying.CompareAndSwap(false, true) {
		return nil, fault.New(fault.Busy, "api: a verification runs already; wait for its end")
	}
	return &webapi.Stream{Type: "text/event-stream", Run: func(send func([]byte) error) {
		defer s.verifying.Store(false)
		s.runVerification(rq.Context(), send)
	}}, nil
}

func (s *Services) runVerification(ctx context.Context, send func([]byte) error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var leaves atomic.Int64
	type outcome struct {
		x   Verified
		err error
	}
	done := make(chan outcome, 1)
	go func() { // it ends with the context
		x, err := s.Ledger.Verify(ctx, func() { leaves.Add(1) })
		done <- outcome{x, err}
	}()

	tick := time.NewTicker(verifyTells)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if send(fmt.Appendf(nil, "event: progress\ndata: %d\n\n", leaves.Load())) != nil {
				stop() // and is waited for below
			}
		case o := <-done:
			if o.err != nil {
				s.Log.Error("a verification did not come to its end", "error", o.err)
				_ = send([]byte("event: failed\ndata: {}\n\n"))
				return
			}
			b, _ := json.Marshal(o.x) // texts and numbers always marshal
			_ = send(fmt.Appendf(nil, "event: done\ndata: %s\n\n", b))
			return
		}
	}
}

// exportPiece is how much of an export is sent at a time, in bytes.
const exportPiece = 32 << 10

// exportRecords gives all records that match, one a line.
func (s *Services) exportRecords(rq *webapi.Request) (any, error) {
	form := rq.Query("form")
	switch form {
	case "":
		form = "json"
	case "json", "dicom", "fhir":
	default:
		return nil, fault.New(fault.Invalid, "api: form is json, dicom or fhir")
	}
	filter, err := s.filter(rq)
	if err != nil {
		return nil, err
	}
	last, err := s.Trail.Last(rq.Context())
	if err != nil {
		return nil, err
	}
	if err := s.recordReading(rq); err != nil {
		return nil, err
	}

	name := "audit-" + time.Now().Format(time.DateOnly) + ".ndjson"
	return &webapi.Stream{Type: "application/x-ndjson", Name: name, Run: func(send func([]byte) error) {
		err := s.sendRecords(rq.Context(), filter, form, last, send)
		if err == nil {
			return
		}
		if rq.Context().Err() == nil {
			s.Log.Error("an export of the trail did not come to its end", "error", err)
		}
		panic(webapi.Abort) // a file that is cut off must not look whole
	}}, nil
}

func (s *Services) sendRecords(ctx context.Context, f audit.Filter, form string, last int64, send func([]byte) error) error {
	var b bytes.Buffer
	for r, err := range s.Trail.After(ctx, -1) {
		if err != nil {
			return err
		}
		if r.Sequence > last {
			break
		}
		if !f.Matches(r) {
			continue
		}
		if err := r.WriteAs(&b, form, s.Connection.AETitle); err != nil {
			return err
		}
		if b.Len() >= exportPiece {
			if err := send(b.Bytes()); err != nil {
				return err
			}
			b.Reset()
		}
	}
	return send(b.Bytes())
}
