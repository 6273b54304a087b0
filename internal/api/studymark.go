package api

import (
	"context"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/guard"
	"collimator/internal/mark"
	"collimator/internal/webapi"
)

// deletedStudy is what a deletion did.
type deletedStudy struct {
	Instances   int `json:"instances"`
	Held        int `json:"held"`        // entries of the quarantine that went with it
	AccessEnded int `json:"accessEnded"` // links, grants and tokens to the study that were ended
}

// because says for the record why something is removed. It may name a patient, and so is in no address.
type because struct {
	Reason string `json:"reason"` // 5 to 200 characters
}

// deleteStudy deletes a study, with a reason for the record, which the archive writes in the same transaction.
func (s *Services) deleteStudy(rq *webapi.Request) (any, error) {
	var in because
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	u, err := studyOf(rq)
	if err != nil {
		return nil, err
	}
	done, err := s.Archive.Delete(rq.Context(), archive.Deletion{
		StudyUID: u, Why: in.Reason, By: guard.WebSource(rq.Context()), Scope: guard.Scope(rq.Context()),
	})

	return deletedStudy{done.Instances, done.Held, done.AccessEnded}, err
}

// labelStudy says of a study what stands in the body, in place of what was said before.
func (s *Services) labelStudy(rq *webapi.Request) (any, error) {
	var in mark.Mark
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	d, o, err := s.seen(rq)
	if err != nil {
		return nil, err
	}

	o.Detail = in.Told()
	r := rq.Caller().Entry(audit.StudyMarked, audit.Update, audit.Success, "")
	r.Objects = append(r.Objects, o)
	err = s.DB.Write(rq.Context(), func(tx *db.Tx) error { return s.mark(rq.Context(), tx, d.UID, in, rq.Person().Name, r) })
	if err != nil {
		return nil, err
	}
	d, _, err = s.seen(rq)

	return ShowStudy(&d.Study), err
}

// mark writes what is said of a study and the record of it together.
func (s *Services) mark(ctx context.Context, tx *db.Tx, study string, m mark.Mark, person string, r audit.Record) error {
	if _, _, err := archive.PatientIn(ctx, tx, study); err != nil { // it was deleted meanwhile
		return err
	}
	if err := mark.Set(ctx, tx, s.Registers, study, m, person, time.Now()); err != nil {
		return err
	}

	return s.Trail.WriteTx(ctx, tx, r)
}
