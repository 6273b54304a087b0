package main

import (
	"errors"
	"log/slog"
	"path/filepath"

	"collimator/internal/archive"
	"collimator/internal/blob"
)

// archiveOptions are those of the archive of an installation, whoever opens it:
// what one has stored the other must be able to read.
func (in *installation) archiveOptions(blobs blob.Store) archive.Options {
	return archive.Options{
		DB: in.db, Blobs: blobs, RetrieveAETitle: in.config.AE, Record: recordInstance(in.ledger, in.trail, in.registry),
		CharacterSet: characterSets(in.config.CharacterSets), Limits: archiveLimits(in.config.Limits),
	}
}

// withBlobs opens the images of a data directory, runs do and closes them.
func withBlobs(in *installation, do func(a *archive.Archive) error) error {
	return withOptions(in, nil, do)
}

// withIntake is withBlobs for a command that takes images in: they are inspected
// as the server inspects them.
func withIntake(in *installation, log *slog.Logger, do func(a *archive.Archive) error) error {
	look, err := newInspector(in.config.Inspect, nil, log)
	if err != nil {
		return err
	}

	return withOptions(in, func(o *archive.Options) { o.Inspect = look.look }, do)
}

func withOptions(in *installation, change func(*archive.Options), do func(a *archive.Archive) error) error {
	blobs, err := blob.OpenDir(filepath.Join(in.config.Data, blobsDir))
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
