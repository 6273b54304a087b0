package main

import (
	"context"
	"encoding/json"
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
	info, err := os.Stat(filepath.Join(data, indexFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the index: %w", err)
	}
	if err == nil && info.Size() > 0 {
		return nil
	}
	// An index of no bytes may have all its content in its log.
	if log, err := os.Stat(filepath.Join(data, indexFile+"-wal")); err == nil && log.Size() > 0 {
		return nil
	}

	return refuseOverFiles(data, "is missing or empty")
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
	if err := s.knowsItsFiles(e.ctx); err != nil {
		return err
	}
	stale, err := s.archive.Stale(e.ctx)
	if err != nil {
		return err
	}
	if stale {
		s.log.Info("the index is made anew by the rules of this version; the archive is served when that is done")
	}

	return upgrade(e, s.archive)
}

// bringUpToDate makes the index anew for a command, where no server has done so
// yet. A server that is running is at it.
func bringUpToDate(e *env, data string, a *archive.Archive) error {
	stale, err := a.Stale(e.ctx)
	if err != nil || !stale {
		return err
	}
	lock, err := lockData(data)
	if err != nil {
		return fmt.Errorf("the index is being made anew by the rules of this version; try again when the server is ready: %w", err)
	}
	defer lock.Close()

	return upgrade(e, a)
}

func upgrade(e *env, a *archive.Archive) error {
	p := newProgress(e, "instances indexed", 0)
	defer p.end()

	return a.Upgrade(e.ctx, func(done, all int64) { p.set(int(done), 0, int(all)) })
}

// knowsItsFiles refuses an index that never knew an instance beside files of
// instances: it was made by accident, in the place of one that did.
func (s *server) knowsItsFiles(ctx context.Context) error {
	stats, err := s.archive.Stats(ctx)
	if err != nil || stats.Instances > 0 || stats.Quarantined > 0 {
		return err
	}
	errKnown := errors.New("known")
	err = s.in.ledger.Since(ctx, 0, func(l ledger.Leaf) error {
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

	return refuseOverFiles(s.in.config.Data, "knows of no image")
}

// tombstones asks the ledger what became of a file in the end.
func tombstones(log *ledger.Log) archive.Tombstones {
	return func(ctx context.Context, sopInstanceUID, digest string) (deleted bool, err error) {
		err = log.About(ctx, archive.LeafKind, sopInstanceUID, func(l ledger.Leaf) error {
			var s archive.Statement
			if err := json.Unmarshal([]byte(l.Data), &s); err != nil {
				return fmt.Errorf("ledger leaf %d cannot be read: %w", l.Position, err)
			}
			if s.Digest == digest && s.SOPInstanceUID == sopInstanceUID {
				deleted = s.Event == archive.Deleted || s.Event == archive.Destroyed
			}
			return nil
		})

		return deleted, err
	}
}
