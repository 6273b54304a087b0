package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"time"

	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
	"collimator/internal/stream"
)

// Stats counts what is stored.
type Stats struct {
	Patients, Studies, Series, Instances int64
	Bytes                                int64 // of the files of instances
	Quarantined                          int64
	QuarantinedBytes                     int64
}

// Stats counts what is stored, from the study rows.
func (a *Archive) Stats(ctx context.Context) (s Stats, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		err := tx.QueryRow(ctx,
			`SELECT (SELECT COUNT(*) FROM patient), COUNT(*), COALESCE(SUM(series), 0), COALESCE(SUM(instances), 0),
				COALESCE(SUM(size), 0) FROM study`).
			Scan(&s.Patients, &s.Studies, &s.Series, &s.Instances, &s.Bytes)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM quarantine`).Scan(&s.Quarantined, &s.QuarantinedBytes)
	})
	return s, err
}

// ProblemKind is what Verify found.
type ProblemKind string

// The problems.
const (
	MissingFile ProblemKind = "missing file"       // a row names a file that is not there
	WrongSize   ProblemKind = "wrong size"         // the file is longer or shorter than the row says
	WrongDigest ProblemKind = "wrong digest"       // the content of the file has changed
	OrphanFile  ProblemKind = "file without a row" // nothing is known of the file; the next start sets it aside
	WrongCount  ProblemKind = "wrong count"        // a study, series or patient row counts wrongly
	BadDatabase ProblemKind = "damaged database"   // the database's own check found a fault
)

// Problem is one finding of Verify.
type Problem struct {
	Kind   ProblemKind
	Digest string // of the file; empty for rows and the database
	Count  int64  // rows, for WrongCount
}

// VerifyOptions are for Verify; the zero value reads every file.
type VerifyOptions struct {
	Progress func(files int64) // is told the number of files read
	Pick     func() bool       // says of each file whether to read it; of the others only the size is looked at
}

// Verify reads every file, compares it with its rows, and yields each problem.
// What is stored or removed meanwhile is not mistaken for one. It ends after
// the first error.
func (a *Archive) Verify(ctx context.Context, o VerifyOptions) iter.Seq2[Problem, error] {
	return func(yield func(Problem, error) bool) {
		err := a.o.DB.Check(ctx)
		if ctx.Err() != nil || fault.Of(err) == fault.Busy {
			yield(Problem{}, err) // it was not looked at
			return
		}
		if err != nil && !yield(Problem{Kind: BadDatabase}, nil) {
			return
		}
		n, err := a.wrongCounts(ctx)
		if err != nil || n > 0 && !yield(Problem{Kind: WrongCount, Count: n}, nil) {
			yieldError(yield, err)
			return
		}
		if a.verifyFiles(ctx, o, yield) {
			a.verifyOrphans(ctx, a.now().Add(-InProgress), yield)
		}
	}
}

func yieldError(yield func(Problem, error) bool, err error) {
	if err != nil {
		yield(Problem{}, err)
	}
}

// wrongCounts is how many rows count wrongly.
func (a *Archive) wrongCounts(ctx context.Context) (n int64, err error) {
	err = a.o.DB.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, `SELECT
			(SELECT COUNT(*) FROM series se LEFT JOIN (SELECT series, COUNT(*) AS n FROM instance GROUP BY series) c ON c.series = se.id
				WHERE se.instances <> COALESCE(c.n, 0))
			+ (SELECT COUNT(*) FROM study st LEFT JOIN (SELECT study, COUNT(*) AS n, SUM(instances) AS i
				FROM series GROUP BY study) c ON c.study = st.id
				WHERE st.series <> COALESCE(c.n, 0) OR st.instances <> COALESCE(c.i, 0))
			+ (SELECT COUNT(*) FROM patient p LEFT JOIN (SELECT patient, COUNT(*) AS n, SUM(series) AS s, SUM(instances) AS i
				FROM study GROUP BY patient) c ON c.patient = p.id
				WHERE p.studies <> COALESCE(c.n, 0) OR p.series <> COALESCE(c.s, 0) OR p.instances <> COALESCE(c.i, 0))`).Scan(&n)
	})
	return n, err
}

// verifyFiles walks the rows in order of digest.
func (a *Archive) verifyFiles(ctx context.Context, opt VerifyOptions, yield func(Problem, error) bool) bool {
	n := int64(0)
	for f, err := range Files(ctx, a.o.DB) {
		if err != nil {
			yieldError(yield, err)
			return false
		}

		read := opt.Pick == nil || opt.Pick()
		kind, err := a.verifyNamed(ctx, f, read)
		if err != nil {
			yieldError(yield, err)
			return false
		}
		if kind != "" && !yield(Problem{Kind: kind, Digest: f.Digest}, nil) {
			return false
		}
		if !read {
			continue
		}

		n++
		if opt.Progress != nil {
			opt.Progress(n)
		}
	}

	return true
}

// verifyNamed looks at a file that a row names, and where it finds a problem a
// second time: it may have been removed since its row was read, and stored again.
func (a *Archive) verifyNamed(ctx context.Context, f File, read bool) (ProblemKind, error) {
	kind, err := a.verifyFile(ctx, f, read)
	if err != nil || kind == "" {
		return "", err
	}
	used, err := a.referenced(ctx, []string{f.Digest})
	if err != nil {
		return "", err
	}
	kind, err = a.verifyFile(ctx, f, read)
	if err != nil || !used[f.Digest] {
		return "", err
	}

	return kind, nil
}

// File is a file that rows of an index name.
type File struct {
	Digest string
	Size   int64 // bytes
}

// Files yields the files that the rows of an index name, in order of digest. It
// needs no Archive, so that it can be asked of a copy. It ends after the first
// error.
func Files(ctx context.Context, d *db.DB) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		last := ""
		for {
			page, err := filePage(ctx, d, last)
			if err != nil {
				yield(File{}, err)
				return
			}
			for _, f := range page {
				last = f.Digest
				if !yield(f, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

func filePage(ctx context.Context, d *db.DB, after string) (page []File, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		page, err = db.All(ctx, tx, scanFile, `SELECT digest, MAX(size) FROM (
			SELECT digest, size FROM (SELECT digest, size FROM instance WHERE digest > ?1 ORDER BY digest LIMIT ?2) i
			UNION ALL SELECT digest, size FROM (SELECT digest, size FROM quarantine WHERE digest > ?1 ORDER BY digest LIMIT ?2) q) f
			GROUP BY digest ORDER BY digest LIMIT ?2`, after, pageSize)

		return err
	})

	return page, err
}

func scanFile(scan db.Scan) (f File, err error) {
	err = scan(&f.Digest, &f.Size)
	return f, err
}

func (a *Archive) verifyFile(ctx context.Context, f File, read bool) (ProblemKind, error) {
	if !blob.ValidKey(f.Digest) {
		return MissingFile, nil // somebody changed the row
	}

	o, err := a.o.Blobs.Open(ctx, f.Digest)
	if errors.Is(err, blob.ErrNotFound) {
		return MissingFile, nil
	}
	if err != nil {
		return "", err
	}
	defer o.Close()

	if o.Size() != f.Size {
		return WrongSize, nil
	}
	if !read {
		return "", nil
	}

	digest, err := digestOf(ctx, o)
	if err == nil && digest != f.Digest {
		return WrongDigest, nil
	}

	return "", err
}

// digestOf reads a file and is the name it should have.
func digestOf(ctx context.Context, o blob.Object) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, stream.While(ctx, io.NewSectionReader(o, 0, o.Size()))); err != nil {
		return "", err
	}

	return hex.EncodeToString(h.Sum(nil)), nil
}

// verifyOrphans yields the files that no row names. A file younger than the
// verification may be on its way to a row.
func (a *Archive) verifyOrphans(ctx context.Context, began time.Time, yield func(Problem, error) bool) {
	for info, err := range a.orphans(ctx, began) {
		if err != nil {
			yieldError(yield, err)
			return
		}
		if !yield(Problem{Kind: OrphanFile, Digest: info.Key}, nil) {
			return
		}
	}
}
