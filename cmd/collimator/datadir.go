package main

import (
	"errors"
	"fmt"

	"collimator/internal/archive"
	"collimator/internal/config"
	"collimator/internal/house"
	"collimator/internal/terminal"
)

// open opens an installation, or makes a new one.
func (e *env) open(c config.Config, create bool) (*house.Installation, error) {
	in, err := house.Open(e.ctx, c, create)
	if err != nil || e.opened == nil {
		return in, err
	}
	if err := e.opened(in); err != nil {
		return nil, errors.Join(err, in.Close())
	}

	return in, nil
}

// with opens the data directory, runs do and closes it.
func (f dataFlags) with(e *env, do func(in *house.Installation) error) error {
	c, err := f.loadChecked()
	if err != nil {
		return err
	}
	in, err := e.open(c, false)
	if err != nil {
		return err
	}

	if in.Copied != "" {
		fmt.Fprintf(e.stderr, "collimator: %s\n", house.CopiedText(in.Copied))
	}

	return errors.Join(do(in), in.Close())
}

// withArchive opens the data directory with its images, runs do and closes it.
func (f dataFlags) withArchive(e *env, do func(in *house.Installation, a *archive.Archive) error) error {
	return f.with(e, func(in *house.Installation) error {
		return house.WithBlobs(in, func(a *archive.Archive) error {
			if err := upToDate(e, in, a); err != nil {
				return err
			}

			return do(in, a)
		})
	})
}

// upToDate brings the index up to date, and shows how far it has come.
func upToDate(e *env, in *house.Installation, a *archive.Archive) error {
	report, end := indexing(e)
	defer end()
	return in.BringUpToDate(e.ctx, a, report)
}

// indexing shows how far an index that is made anew has come.
func indexing(e *env) (report func(done, all int64), end func()) {
	p := terminal.NewProgress(e.stderr, "instances indexed", 0)

	return p.Reach, p.End
}
