package house

import (
	"errors"
	"log/slog"
	"path/filepath"

	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/guard"
)

// archiveOptions are those of the archive of an installation, whoever opens it:
// what one has stored the other must be able to read.
func (in *Installation) archiveOptions(blobs blob.Store) archive.Options {
	return archive.Options{
		DB: in.DB, Blobs: blobs, RetrieveAETitle: in.Config.AE, Record: guard.RecordInstance(in.Ledger, in.Trail, in.Registry),
		CharacterSet: characterSets(in.Config.CharacterSets), Limits: archiveLimits(in.Config.Limits), LetThrough: letThrough,
	}
}

// WithBlobs opens the images of a data directory, runs do and closes them.
func WithBlobs(in *Installation, do func(a *archive.Archive) error) error {
	return withOptions(in, nil, do)
}

// WithIntake is withBlobs for a command that takes images in: they are inspected
// as the server inspects them.
func WithIntake(in *Installation, log *slog.Logger, do func(a *archive.Archive) error) error {
	look, err := newInspector(in.Config.Inspect, nil, log)
	if err != nil {
		return err
	}

	return withOptions(in, func(o *archive.Options) { o.Inspect = look.look }, do)
}

func withOptions(in *Installation, change func(*archive.Options), do func(a *archive.Archive) error) error {
	blobs, err := blob.OpenDir(filepath.Join(in.Config.Data, BlobsDir))
	if err != nil {
		return err
	}
	o := in.archiveOptions(blobs)
	if change != nil {
		change(&o)
	}

	a, err := archive.Open(o)
	if err == nil {
		err = do(a)
	}

	return errors.Join(err, blobs.Close())
}
