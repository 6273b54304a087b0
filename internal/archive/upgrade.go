package archive

import (
	"context"

	"collimator/dicom"
	"collimator/internal/archive/index"
	"collimator/internal/budget"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// upgradeBatch is how many instances are made anew in one transaction.
const upgradeBatch = 256

// Upgrade makes all rows anew by the rules of this program, where the index was
// made by others. It reads the stored headers, and a file where its header is
// missing or damaged. Nothing else may use the archive meanwhile. It goes on
// where an earlier run was cut off. progress is told of instances done and of
// all; it may be nil.
func (a *Archive) Upgrade(ctx context.Context, progress func(done, all int64)) error {
	all, need, err := a.beginUpgrade(ctx)
	if err != nil || !need {
		return err
	}

	done := int64(0)
	last := int64(0)
	for {
		batch, err := a.staleInstances(ctx, last)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}

		if err := a.o.DB.Write(ctx, func(tx *db.Tx) error { return refresh(ctx, tx, batch) }); err != nil {
			return err
		}

		last = batch[len(batch)-1].row
		done += int64(len(batch))
		if progress != nil {
			progress(done, all)
		}
	}

	return a.o.DB.Write(ctx, func(tx *db.Tx) error { return index.Finish(ctx, tx) })
}

// Stale reports whether Upgrade has something to do.
func (a *Archive) Stale(ctx context.Context) (stale bool, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		version, err := index.BuiltVersion(ctx, tx)
		if err != nil || version == index.Version {
			return err
		}

		var instances int64
		err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM instance LIMIT 1) i`).Scan(&instances)
		stale = instances > 0
		if err == nil && version > index.Version {
			return fault.New(fault.Unsupported,
				"archive: the index was made by a newer program; use that one, or make it anew with 'collimator reindex'")
		}

		return err
	})

	return stale, err
}

// Resuming reports that an Upgrade was cut off, and will go on where it was.
func (a *Archive) Resuming(ctx context.Context) (on bool, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		on, err = index.Resuming(ctx, tx)
		return err
	})

	return on, err
}

func (a *Archive) beginUpgrade(ctx context.Context) (all int64, need bool, err error) {
	if need, err = a.Stale(ctx); err != nil {
		return 0, false, err
	}

	err = a.o.DB.Write(ctx, func(tx *db.Tx) error {
		if !need {
			return index.SetVersion(ctx, tx, index.Version)
		}
		if err := index.Begin(ctx, tx); err != nil {
			return err
		}

		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM instance WHERE description = 0`).Scan(&all)
	})

	return all, need, err
}

// stale is an instance whose rows are to be made anew.
type stale struct {
	row     int64
	ref     InstanceRef
	patient string // identity of the study's patient, as the index has it now
	header  []byte
	assumed string
	accept  bool

	description *index.Description
}

func (a *Archive) staleInstances(ctx context.Context, after int64) (list []*stale, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scanStale, `SELECT `+index.RefColumns+`, i.id, i.accepted, i.character_set, p.identity, d.data
			FROM `+index.RefTables+` JOIN patient p ON p.id = st.patient
			LEFT JOIN instance_data d ON d.id = i.id WHERE i.id > ?1 AND i.description = 0 ORDER BY i.id LIMIT ?2`, after, upgradeBatch)

		return err
	})
	if err != nil {
		return nil, err
	}

	for _, s := range list {
		if err := a.describeAgain(ctx, s); err != nil {
			return nil, err
		}
	}

	return list, nil
}

func scanStale(scan db.Scan) (*stale, error) {
	s := &stale{}
	var accepted int64
	var err error
	s.ref, err = index.ScanRef(scan, &s.row, &accepted, &s.assumed, &s.patient, &s.header)
	s.accept = accepted != 0

	return s, err
}

// describeAgain makes the rows of an instance from its header, or from its file
// where that cannot be read. An instance whose file is lost too keeps an empty
// description: it stays in its place, and 'verify' names it.
func (a *Archive) describeAgain(ctx context.Context, s *stale) error {
	ts, _ := dicom.LookupTransferSyntax(s.ref.TransferSyntaxUID)

	var ds *dicom.DataSet
	if s.header != nil {
		ds, _ = unpackHeader(budget.From(ctx), s.header, ts, nil, 0)
	}

	if ds == nil {
		p, err := a.reread(ctx, QuarantineEntry{Instance: s.ref, CharacterSet: s.assumed}, s.accept)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			ds = p.ds
			s.header = p.header
		}
	}

	if ds == nil {
		ds = dicom.NewDataSet()
		s.header = nil
	}
	assume(ds, index.SplitValues(s.assumed))

	// What somebody let in is not marked in an index of the first version: there
	// the study has another patient.
	if !s.accept && index.Identity(ds, s.ref.StudyUID) != s.patient {
		s.accept = index.ContradictsPatient(ds, s.patient)
	}

	var err error
	s.description, err = index.Describe(ds, s.ref, s.accept)

	return err
}

func refresh(ctx context.Context, tx *db.Tx, batch []*stale) error {
	for _, s := range batch {
		err := index.Refresh(ctx, tx, s.row, s.ref, s.description, s.accept, s.header)
		if err != nil && fault.Of(err) != fault.NotFound { // else it was deleted since it was read
			return err
		}
	}

	return nil
}
