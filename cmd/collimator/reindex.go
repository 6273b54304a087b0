package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/durable"
	"collimator/internal/ledger"
	"collimator/internal/phrase"
)

type reindexCmd struct {
	dataFlags
	outputFlag
}

func (reindexCmd) Help() string {
	return `Makes the index anew from the ledger and the images, while no server runs. What the ledger does not
know is taken in as if it had been sent: inspected, recorded, and held back where it contradicts what
is stored. What was deleted stays out. No image is removed.

Without an index (index.db is missing or empty) a new one is made of the images alone; a damaged one
is moved aside. Devices, people and the audit trail are in the index: if there is a backup, put its newest
copies/NAME/index.db in place first.

Exit code 3 when some images could not be brought back; they are listed. A run that was cut off is run
again.

Example:
  collimator reindex --data ./data`
}

// reindexSource is who stored what the ledger does not know.
const reindexSource = "reindex"

func (c *reindexCmd) Run(e *env) error {
	cfg, err := c.loadChecked()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, blobsDir)); err != nil {
		return usageError("%s holds no images; name the data directory with --data", cfg.Data)
	}
	lock, err := lockData(cfg.Data)
	if err != nil {
		return err
	}
	defer lock.Close()

	r := &reindexing{progress: newProgress(e, "indexed", 0)}
	in, err := r.open(e.ctx, cfg)
	if err != nil {
		return err
	}
	err = r.run(e, in)
	r.progress.end()
	if err := errors.Join(err, in.close()); err != nil {
		return err
	}

	return r.report(e.stdout, c.Output)
}

// reindexing is one run, and what it found.
type reindexing struct {
	progress *progress

	WithoutLedger bool           `json:"withoutLedger"`
	MovedAside    string         `json:"movedAside,omitempty"` // the damaged index
	Copied        string         `json:"copied,omitempty"`     // the index before it was changed for this version
	Statements    int64          `json:"statements"`           // of the ledger, that were repeated
	Unknown       map[string]int `json:"unknown"`              // files the ledger does not know, by what became of them
	Lost          []lostImage    `json:"lost"`
	Instances     int64          `json:"instances"`
	HeldBack      int64          `json:"heldBack"`
}

// lostImage is one that the ledger says is stored, and that is not indexed.
type lostImage struct {
	SOPInstance string `json:"sopInstance,omitempty"`
	Digest      string `json:"sha256"`
	What        string `json:"what"`
}

// open opens the index, or makes a new one in the place of one that is lost. The
// caller holds the lock.
func (r *reindexing) open(ctx context.Context, c config.Config) (*installation, error) {
	if err := checkLog(c.Data); err != nil {
		return nil, err
	}
	lost := errors.Is(indexThere(c.Data), errNoIndex)
	in, err := openParts(ctx, c, nil)
	if err == nil && !lost {
		if err = in.db.Check(ctx); err != nil {
			err = errors.Join(err, in.close())
		}
	}
	if db.Damaged(err) {
		if r.MovedAside, err = moveIndexAside(c.Data); err != nil {
			return nil, err
		}
		lost = true
		in, err = openParts(ctx, c, nil)
	}
	if err != nil {
		return nil, err
	}
	r.WithoutLedger = lost
	r.Copied = in.copied

	return in, nil
}

// moveIndexAside gives a damaged index another name, with what belongs to it.
func moveIndexAside(data string) (string, error) {
	to := filepath.Join(data, indexFile+".damaged-"+time.Now().UTC().Format("20060102T150405Z"))
	for _, suffix := range []string{"-wal", "-shm", ""} {
		from := filepath.Join(data, indexFile+suffix)
		if !fileExists(from) {
			continue
		}
		if err := durable.Relocate(from, to+suffix); err != nil {
			return "", fmt.Errorf("move the damaged index aside: %w", err)
		}
	}

	return to, nil
}

func (r *reindexing) run(e *env, in *installation) error {
	log, err := newLog(e, in.config.Log)
	if err != nil {
		return err
	}

	return withIntake(in, log, func(a *archive.Archive) error { return r.rebuild(e.ctx, in, a) })
}

func (r *reindexing) rebuild(ctx context.Context, in *installation, a *archive.Archive) error {
	reason := "the index is made anew from ledger and files"
	if r.WithoutLedger {
		reason = "the index is made anew from the files alone: there was no ledger"
	}
	if err := in.record(ctx, audit.Record{Event: audit.Maintained, Action: audit.Execute, Reason: reason}); err != nil {
		return err
	}
	rebuild, err := a.BeginRebuild(ctx)
	if err != nil {
		return err
	}
	if err := r.repeat(ctx, in.ledger, rebuild); err != nil {
		return err
	}
	for uid, digest := range rebuild.Missing() {
		r.Lost = append(r.Lost, lostImage{uid, digest, "the file is not there"})
	}
	for _, u := range rebuild.Unreadable() {
		r.Lost = append(r.Lost, lostImage{u.SOPInstanceUID, u.Digest, "cannot be indexed"})
	}

	if err := r.takeIn(ctx, in.ledger, a); err != nil {
		return err
	}
	if err := rebuild.End(ctx); err != nil {
		return err
	}
	stats, err := a.Stats(ctx)
	r.Instances = stats.Instances
	r.HeldBack = stats.Quarantined

	return err
}

// repeatBatch is how many statements are repeated in one transaction.
const repeatBatch = 256

// repeat gives the ledger's statements to the rebuild. What is recorded while
// unknown files are taken in comes after them and is not repeated.
func (r *reindexing) repeat(ctx context.Context, log *ledger.Log, rebuild *archive.Rebuild) error {
	var batch []archive.Statement
	flush := func() error {
		err := rebuild.Apply(ctx, batch)
		batch = batch[:0]
		return err
	}

	err := log.Since(ctx, 0, func(l ledger.Leaf) error {
		if l.Kind != archive.LeafKind {
			return nil
		}
		s, err := archive.ReadStatement(l.Data)
		if err != nil {
			return fmt.Errorf("ledger leaf %d cannot be read: %w", l.Position, err)
		}
		batch = append(batch, s)
		r.Statements++
		r.progress.add(0, false)
		if len(batch) < repeatBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}

	return flush()
}

// takeIn stores the files that no row names now.
func (r *reindexing) takeIn(ctx context.Context, log *ledger.Log, a *archive.Archive) error {
	list, err := a.Strangers(ctx)
	if err != nil {
		return err
	}
	fate := fateOf(log)
	r.Unknown = map[string]int{}
	for _, s := range list {
		taken, err := a.TakeIn(ctx, s, archive.Source{Principal: reindexSource}, fate)
		if err != nil {
			return fmt.Errorf("file %.16s...: %w", s.Digest, err)
		}
		r.Unknown[string(taken)]++
		r.progress.add(s.Size, false)
	}

	return nil
}

// report says what is there again, and what is not.
func (r *reindexing) report(w io.Writer, form string) error {
	if r.Lost == nil {
		r.Lost = []lostImage{}
	}
	err := r.print(w, form)
	if err == nil && (len(r.Lost) > 0 || r.Unknown[string(archive.NotReadable)] > 0) {
		err = &exitError{exitPartial, errors.New("not all images could be brought back; 'collimator lost list' shows what lies aside, a backup may have the others")}
	}

	return err
}

func (r *reindexing) print(w io.Writer, form string) error {
	if form == "json" {
		return printJSON(w, r)
	}
	fmt.Fprintf(w, "The index is made anew: %s, %d held back.\n", phrase.Count(r.Instances, "image", "images"), r.HeldBack)
	fmt.Fprintf(w, "%s repeated.\n", phrase.Count(r.Statements, "statement of the ledger was", "statements of the ledger were"))
	if r.Copied != "" {
		fmt.Fprintf(w, "First, %s.\n", copiedText(r.Copied))
	}
	for _, t := range []archive.Taken{
		archive.TakenIn, archive.TakenHeld, archive.NotDeleted, archive.NotDuplicate, archive.NotReadable, archive.NotWanted, archive.NotUnknown,
	} {
		if n := r.Unknown[string(t)]; n > 0 {
			fmt.Fprintf(w, "%s that no row named: %s.\n", phrase.Count(n, "file", "files"), takenText(t))
		}
	}
	for _, l := range r.Lost {
		fmt.Fprintf(w, "lost: %s, file %.16s...: %s\n", l.SOPInstance, l.Digest, l.What)
	}
	if r.WithoutLedger {
		_, err := fmt.Fprint(w, withoutLedgerText(r.MovedAside))
		return err
	}
	_, err := fmt.Fprintln(w, "Next: collimator verify, then collimator serve")

	return err
}

func takenText(t archive.Taken) string {
	switch t {
	case archive.TakenIn:
		return "taken in, recorded as stored by " + reindexSource
	case archive.TakenHeld:
		return "held back, see 'collimator quarantine list'"
	case archive.NotDeleted:
		return "deleted before, left out; the next start of the server removes them"
	case archive.NotDuplicate:
		return "the same as what is stored, set aside"
	case archive.NotReadable:
		return "damaged, set aside"
	case archive.NotWanted:
		return "refused by the inspection or for want of room in quarantine, set aside"
	}

	return "known to the ledger and not readable, set aside"
}

// withoutLedgerText says what a new index cannot know.
func withoutLedgerText(damaged string) string {
	text := `
There was no ledger: the index was made of the images alone.
Cannot be proven any more: who stored which image and when; that none is missing or was changed before
today; which were deleted (images whose removal was cut off are back).
Gone: the audit trail, devices, people and their second factors, tokens, links, grants, decisions about
systems and quarantine, orders of storage commitment. What was held back is judged anew.
A new ledger begins with today. An old checkpoint or a witness will not fit it.
`
	if damaged != "" {
		text += "The damaged index is kept: " + damaged + "\n"
	}

	return text + `If there is a backup, put the newest copies/NAME/index.db of it in the place of the new index.db and run
reindex again: what came after the backup is taken in, and only that is without a record.
Next: collimator init --admin NAME, collimator device add ..., collimator verify
`
}
