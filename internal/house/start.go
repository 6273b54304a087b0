package house

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
	"collimator/internal/fault"
	"collimator/internal/ledger"
)

// checkIndex refuses to make a new index beside files of an archive: whoever
// starts so has lost the index, mounted the wrong volume, or named the wrong
// directory.
func checkIndex(data string) error {
	if err := CheckLog(data); err != nil {
		return err
	}
	err := IndexThere(data)
	if errors.Is(err, ErrNoIndex) {
		return refuseOverFiles(data, "is missing or empty")
	}

	return err
}

// ErrNoIndex says that there is no index, or one without a byte.
var ErrNoIndex = errors.New("there is no index")

// IndexThere reports by its error that a data directory has no index: ErrNoIndex,
// or why that cannot be said.
func IndexThere(data string) error {
	info, err := os.Stat(filepath.Join(data, IndexFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the index: %w", err)
	}
	if err == nil && info.Size() > 0 {
		return nil
	}

	return ErrNoIndex
}

func refuseOverFiles(data, what string) error {
	empty, err := blob.Empty(filepath.Join(data, BlobsDir))
	if err != nil || empty {
		return err
	}

	return fmt.Errorf("%s %s, and there are images in %s. Nothing was changed. Put the index back from a backup, "+
		"or build it anew from the images: collimator reindex --data %s (docs/operate.md, \"The index is gone\")",
		filepath.Join(data, IndexFile), what, filepath.Join(data, BlobsDir), data)
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

// Prepare brings the archive to where it can be served.
func (s *Server) Prepare(ctx context.Context, report func(done, all int64)) error {
	if err := s.in.whole(ctx, s.Archive); err != nil {
		return err
	}
	if err := s.in.refuseStranger(ctx, s.Archive); err != nil {
		return err
	}
	if err := s.in.pair(ctx); err != nil {
		return err
	}

	stale, err := s.Archive.Stale(ctx)
	if err != nil {
		return err
	}

	if stale {
		if err := s.in.copyBeforeUpgrade(ctx, s.Archive); err != nil {
			return err
		}
		s.log.Info("the index is made anew by the rules of this version; the archive is served when that is done", "copy", s.in.Copied)
	}

	return s.Archive.Upgrade(ctx, report)
}

// BringUpToDate makes the index anew for a command, where no server has done so
// yet. A server that is running is at it.
func (in *Installation) BringUpToDate(ctx context.Context, a *archive.Archive, report func(done, all int64)) error {
	if err := in.whole(ctx, a); err != nil {
		return err
	}
	stale, err := a.Stale(ctx)
	if err != nil || !stale {
		return err
	}
	lock, err := LockData(in.Config.Data)
	if err != nil {
		return staleBeside(in.Config.Data)
	}
	defer lock.Close()
	if err := in.copyBeforeUpgrade(ctx, a); err != nil {
		return err
	}

	return a.Upgrade(ctx, report)
}

// staleBeside says what to do with an index that this program would make anew
// beside a server: one of the same version is at it.
func staleBeside(data string) error {
	if holder := lockHolder(data); holder != Version() {
		return besideServer(data)
	}
	return fault.Usage("the server that runs on %s is making the index anew by the rules of this version; try again when it is ready", data)
}

// copyBeforeUpgrade keeps the index as the program before this one made it. The
// copy that a migration made a moment ago serves as well, and so does that of a
// run that was cut off.
func (in *Installation) copyBeforeUpgrade(ctx context.Context, a *archive.Archive) error {
	on, err := a.Resuming(ctx)
	if err != nil || on || in.Copied != "" {
		return err
	}
	schema, err := in.DB.Schema(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(in.Config.Data, fmt.Sprintf("%s.schema-%d", IndexFile, schema))
	if err := in.DB.Copy(ctx, path); err != nil {
		return fmt.Errorf("copy the index before it is changed: %w", err)
	}
	in.Copied = path

	return nil
}

// whole refuses an index that is being made anew, or was left half made.
func (in *Installation) whole(ctx context.Context, a *archive.Archive) error {
	cut, err := a.CutOff(ctx)
	if err == nil && cut {
		err = fmt.Errorf("a reindex of %s is under way or was cut off: run it again, collimator reindex --data %s",
			in.Config.Data, in.Config.Data)
	}

	return err
}

// refuseStranger refuses an index that never knew an instance where there are files
// of instances: it is a stranger to them, made by accident in the place of the index
// that knew them.
func (in *Installation) refuseStranger(ctx context.Context, a *archive.Archive) error {
	stats, err := a.Stats(ctx)
	if err != nil || stats.Instances > 0 || stats.Quarantined > 0 {
		return err
	}

	errKnown := errors.New("known")
	err = in.Ledger.Since(ctx, 0, func(l ledger.Leaf) error {
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

	return refuseOverFiles(in.Config.Data, "knows of no image")
}

// MayBeJudged refuses to back up or to verify what refuseStranger refuses: such a
// backup would push out the good ones, and such a verification say that all is
// well. A server that runs has looked already, and may be storing its first image.
func (in *Installation) MayBeJudged(ctx context.Context, a *archive.Archive) error {
	err := in.refuseStranger(ctx, a)
	if err == nil {
		return nil
	}
	lock, busy := LockData(in.Config.Data)
	if busy != nil {
		return nil
	}

	return errors.Join(err, lock.Close())
}

// Fate asks the ledger what became of a file in the end.
func Fate(log *ledger.Log) archive.Fate {
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
