package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/config"
	"collimator/internal/ledger"
)

// checkIndex refuses to make a new index beside files of an archive: whoever
// starts so has lost the index, mounted the wrong volume, or named the wrong
// directory.
func checkIndex(data string) error {
	if err := checkLog(data); err != nil {
		return err
	}
	err := indexThere(data)
	if errors.Is(err, errNoIndex) {
		return refuseOverFiles(data, "is missing or empty")
	}

	return err
}

// errNoIndex says that there is no index, or one without a byte.
var errNoIndex = errors.New("there is no index")

func indexThere(data string) error {
	info, err := os.Stat(filepath.Join(data, indexFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the index: %w", err)
	}
	if err == nil && info.Size() > 0 {
		return nil
	}

	return errNoIndex
}

func refuseOverFiles(data, what string) error {
	empty, err := blob.Empty(filepath.Join(data, blobsDir))
	if err != nil || empty {
		return err
	}

	return &exitError{exitFailure, fmt.Errorf("%s %s, and there are images in %s. Nothing was changed. Put the index back from a backup, "+
		"or build it anew from the images: collimator reindex --data %s (docs/operate.md, \"The index is gone\")",
		filepath.Join(data, indexFile), what, filepath.Join(data, blobsDir), data)}
}

// characterSets says what a source writes that declares no character set.
func characterSets(settings map[string]string) func(archive.Source) []string {
	if len(settings) == 0 {
		return nil
	}

	return func(s archive.Source) []string {
		term, ok := settings[s.AETitle]
		if !ok || s.AETitle == "" {
			term = settings["default"]
		}
		if term == "" {
			return nil
		}

		return strings.Split(term, `\`)
	}
}

func archiveLimits(l config.Limits) archive.Limits {
	return archive.Limits{
		Elements: l.ObjectElements, Size: l.ObjectBytes, QuarantineEntries: l.QuarantineEntries, QuarantineShare: l.QuarantineShare,
	}
}

// prepare brings the archive to where it can be served.
func (s *server) prepare(e *env) error {
	if err := s.in.whole(e.ctx, s.archive); err != nil {
		return err
	}
	if err := s.in.knowsItsFiles(e.ctx, s.archive); err != nil {
		return err
	}
	if err := s.in.pair(e.ctx); err != nil {
		return err
	}
	stale, err := s.archive.Stale(e.ctx)
	if err != nil {
		return err
	}
	if stale {
		if err := s.in.copyBeforeUpgrade(e.ctx, s.archive); err != nil {
			return err
		}
		s.log.Info("the index is made anew by the rules of this version; the archive is served when that is done", "copy", s.in.copied)
	}

	return upgrade(e, s.archive)
}

// bringUpToDate makes the index anew for a command, where no server has done so
// yet. A server that is running is at it.
func bringUpToDate(e *env, in *installation, a *archive.Archive) error {
	if err := in.whole(e.ctx, a); err != nil {
		return err
	}
	stale, err := a.Stale(e.ctx)
	if err != nil || !stale {
		return err
	}
	lock, err := lockData(in.config.Data)
	if err != nil {
		return staleBeside(in.config.Data)
	}
	defer lock.Close()
	if err := in.copyBeforeUpgrade(e.ctx, a); err != nil {
		return err
	}

	return upgrade(e, a)
}

// staleBeside says what to do with an index that this program would make anew
// beside a server: one of the same version is at it.
func staleBeside(data string) error {
	if holder := lockHolder(data); holder != version() {
		return besideServer(data)
	}
	return usageError("the server that runs on %s is making the index anew by the rules of this version; try again when it is ready", data)
}

func upgrade(e *env, a *archive.Archive) error {
	p := newProgress(e, "instances indexed", 0)
	defer p.end()

	return a.Upgrade(e.ctx, func(done, all int64) { p.set(int(done), 0, int(all)) })
}

// copyBeforeUpgrade keeps the index as the program before this one made it. The
// copy that a migration made a moment ago serves as well, and so does that of a
// run that was cut off.
func (in *installation) copyBeforeUpgrade(ctx context.Context, a *archive.Archive) error {
	on, err := a.Resuming(ctx)
	if err != nil || on || in.copied != "" {
		return err
	}
	schema, err := in.db.Schema(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(in.config.Data, fmt.Sprintf("%s.schema-%d", indexFile, schema))
	if err := in.db.Copy(ctx, path); err != nil {
		return fmt.Errorf("copy the index before it is changed: %w", err)
	}
	in.copied = path

	return nil
}

// whole refuses an index that is being made anew, or was left half made.
func (in *installation) whole(ctx context.Context, a *archive.Archive) error {
	cut, err := a.CutOff(ctx)
	if err == nil && cut {
		err = fmt.Errorf("a reindex of %s is under way or was cut off: run it again, collimator reindex --data %s", in.config.Data, in.config.Data)
	}

	return err
}

// knowsItsFiles refuses an index that never knew an instance beside files of
// instances: it was made by accident, in the place of one that did.
func (in *installation) knowsItsFiles(ctx context.Context, a *archive.Archive) error {
	stats, err := a.Stats(ctx)
	if err != nil || stats.Instances > 0 || stats.Quarantined > 0 {
		return err
	}
	errKnown := errors.New("known")
	err = in.ledger.Since(ctx, 0, func(l ledger.Leaf) error {
		if l.Kind == archive.LeafKind {
			return errKnown
		}
		return nil
	})
	if errors.Is(err, errKnown) {
		return nil
	}
	if err != nil {
		return err
	}
	if own, err := in.paired(ctx); err != nil || own {
		return err
	}

	return refuseOverFiles(in.config.Data, "knows of no image")
}

// mayBeJudged refuses to back up or to verify what knowsItsFiles refuses: such a
// backup would push out the good ones, and such a verification say that all is
// well. A server that runs has looked already, and may be storing its first image.
func (in *installation) mayBeJudged(ctx context.Context, a *archive.Archive) error {
	err := in.knowsItsFiles(ctx, a)
	if err == nil {
		return nil
	}
	lock, busy := lockData(in.config.Data)
	if busy != nil {
		return nil
	}

	return errors.Join(err, lock.Close())
}

// fateOf asks the ledger what became of a file in the end.
func fateOf(log *ledger.Log) archive.Fate {
	return func(ctx context.Context, sopInstanceUID, digest string) (archive.EventKind, error) {
		var course archive.Course
		err := log.About(ctx, archive.LeafKind, sopInstanceUID, func(l ledger.Leaf) error {
			s, err := archive.ReadStatement(l.Data)
			if err != nil {
				return fmt.Errorf("ledger leaf %d cannot be read: %w", l.Position, err)
			}
			if s.Digest == digest && s.SOPInstanceUID == sopInstanceUID {
				course.Add(s)
			}
			return nil
		})

		return course.End(), err
	}
}
