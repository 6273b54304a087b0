package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/backup"
	"collimator/internal/blob"
	"collimator/internal/house"
	"collimator/internal/phrase"
	"collimator/internal/recovery"
)

type backupCmd struct {
	dataFlags
	outputFlag
	Dir         string `arg:"" name:"dir" help:"Directory of the backup: empty, not there yet, or a backup already."`
	Keep        int    `help:"How many copies of the index to keep." default:"7" bounds:"1 to 1000"`
	WithoutKeys bool   `help:"Leave keys and settings out."`
}

func (backupCmd) Help() string {
	return `Copies what the directory lacks, beside the server: each image once, held against its digest, and the
index as it was at one moment. Keys and settings are sealed to the recovery key. Images that no kept
copy of the index names are removed from the backup; a cut-off run leaves the copies before it whole.

Images and index are not encrypted: the directory belongs onto an encrypted disk.

Exit code 3 when images were missing or damaged; the rest is copied, and they are listed.

Example:
  collimator backup /backup/pacs --data ./data`
}

func (c *backupCmd) Run(e *env) error {
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		if err := in.MayBeJudged(e.ctx, a); err != nil {
			return err
		}
		if err := apart(in.Config.Data, c.Dir); err != nil {
			return err
		}
		s, err := recovery.Load(in.Config.Data)
		if err != nil {
			return err
		}
		if s.Public == "" && !c.WithoutKeys {
			return usageError("there is no recovery key to which keys could be sealed: make one with "+
				"'collimator recovery-key --data %s --out FILE', or leave keys out with --without-keys", in.Config.Data)
		}
		if c.WithoutKeys {
			s.Public = ""
		}

		return c.make(e, in, s)
	})
}

// apart refuses a backup inside of what it copies.
func apart(data, dir string) error {
	outer, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	inner, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(outer, inner)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return usageError("%s lies in the data directory: it would be lost with it", dir)
	}

	return nil
}

func (c *backupCmd) make(e *env, in *house.Installation, s recovery.State) error {
	blobs, err := blob.ReadDir(filepath.Join(in.Config.Data, house.BlobsDir))
	if err != nil {
		return err
	}
	d, err := backup.Create(c.Dir)
	if err != nil {
		return err
	}
	p := newProgress(e, "files looked at", 0)
	began := time.Now()
	r, err := d.Make(e.ctx, backup.Source{
		Data: in.Config.Data, DB: in.DB, Blobs: blobs, Ledger: in.Ledger, Public: s.Public, Program: house.Version(), Keep: c.Keep, Now: time.Now,
		Progress: func(n int64) { p.add(n, false) },
	})
	p.end()
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}

	if err := c.note(e, in, r); err != nil {
		return err
	}

	return c.report(e, r, s, time.Since(began))
}

// note keeps in the data directory, and in the record, that a backup was made.
func (c *backupCmd) note(e *env, in *house.Installation, r backup.Result) error {
	to, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	err = backup.Update(in.Config.Data, func(b *backup.Record) {
		b.Last = &backup.Made{Time: r.Made, To: to, Files: r.Files, Bytes: r.Bytes, Keys: r.Sealed != nil, Lacking: len(r.Lacking)}
	})
	if err != nil {
		return err
	}

	return in.Record(e.ctx, audit.Record{
		Event: audit.Export, Action: audit.Read, Reason: "backup " + r.Name, Objects: []audit.Object{{Instances: int(r.Files)}},
	})
}

func (c *backupCmd) report(e *env, r backup.Result, s recovery.State, took time.Duration) error {
	var err error
	if c.Output == "json" {
		err = printJSON(e.stdout, r)
	} else {
		err = c.print(e, r, s, took)
	}
	if err == nil && len(r.Lacking) > 0 {
		err = &exitError{exitPartial, fmt.Errorf("%s missing or damaged in the archive and not in the backup; see 'collimator verify'",
			phrase.Count(len(r.Lacking), "file is", "files are"))}
	}

	return err
}

func (c *backupCmd) print(e *env, r backup.Result, s recovery.State, took time.Duration) error {
	fmt.Fprintf(e.stdout, "Backup %s: %s (%s), of which %d (%s) %s copied now, and the index with %s of the ledger, in %s.\n",
		r.Name, phrase.Count(r.Files, "file", "files"), size(r.Bytes),
		r.Copied, size(r.CopiedBytes), phrase.Of(r.Copied, "was", "were"),
		phrase.Count(r.Leaves, "leaf", "leaves"), took.Round(time.Millisecond))
	fmt.Fprintf(e.stdout, "%s kept; %s removed.\n",
		phrase.Count(r.Kept, "copy of the index is", "copies of the index are"),
		phrase.Count(r.Removed, "file that none of them names was", "files that none of them names were"))
	for _, l := range r.Lacking {
		fmt.Fprintf(e.stdout, "lacking: file %.16s...: %s\n", l.Digest, strings.TrimPrefix(l.What, "blob: "))
	}
	if r.Sealed == nil {
		_, err := fmt.Fprint(e.stdout, withoutKeysText)
		return err
	}
	if s.Confirmed.IsZero() {
		fmt.Fprintln(e.stdout, "Nobody has confirmed yet that the recovery key is kept; without it the keys in this backup cannot be read: collimator recovery-key --confirm")
	}
	_, err := fmt.Fprintf(e.stdout, "Try it: collimator restore --rehearse %s\n", c.Dir)

	return err
}

// withoutKeysText says what a backup without keys cannot bring back.
const withoutKeysText = `Keys and settings are not in it. After a restore these are new: the authority of the certificates, so
that every device needs a new one (collimator device renew) and every peer the new ca.pem; the key of
the ledger, which goes on with a leaf that says so; the key of pseudonyms, so that de-identified copies
of one patient no longer go together; and collimator.yaml.
`
