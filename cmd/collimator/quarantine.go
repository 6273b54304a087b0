package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/shown"
)

type quarantineCmd struct {
	List    quarantineListCmd    `cmd:"" help:"List what is held back."`
	Show    quarantineShowCmd    `cmd:"" help:"Show an entry, or write its file."`
	Release quarantineReleaseCmd `cmd:"" help:"Take an entry into the archive after all."`
	Destroy quarantineDestroyCmd `cmd:"" help:"Remove an entry and its file."`
}

type quarantineListCmd struct {
	dataFlags
	outputFlag
	Limit int `help:"How many, the newest first." default:"100" bounds:"1 to 100000"`
}

func (quarantineListCmd) Help() string { return "Example:\n  collimator quarantine list" }

func (c *quarantineListCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		list, err := a.Quarantine(e.ctx, 0, c.Limit)
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "NUMBER|WHY|FROM|ADDRESS|SOP CLASS|SIZE|RECEIVED|TIMES", quarantineRow, "Nothing is held back.")
	})
}

func quarantineRow(q archive.QuarantineEntry) []string {
	return []string{fmt.Sprint(q.ID), string(q.Reason), shown.Text(sentBy(q.Source)), q.Source.Address, uid.Name(q.Instance.SOPClassUID), size(q.Instance.Size), minute(q.LastReceived), fmt.Sprint(q.Times)}
}

type quarantineShowCmd struct {
	dataFlags
	ID  int64  `arg:"" name:"number" help:"Number from 'quarantine list'."`
	Out string `help:"Write the file here, to look into it; it is not what the archive trusts." placeholder:"FILE"`
}

func (quarantineShowCmd) Help() string {
	return "Example:\n  collimator quarantine show 7 --out suspect.dcm"
}

func (c *quarantineShowCmd) Run(e *env) error {
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		q, err := a.Quarantined(e.ctx, c.ID)
		if err != nil {
			return err
		}
		found, err := findings(e.ctx, a, q, in.Config.Inspect)
		if err != nil {
			return err
		}
		stored := "nothing is stored under its UID"
		if q.StoredDigest != "" {
			stored = "another content is stored, SHA-256 " + q.StoredDigest
		}
		fmt.Fprintf(e.stdout, "Number          %d\nWhy             %s\nSOP Class       %s\nSOP Instance    %s\nStudy           %s\nSHA-256         %s\nInstead of it   %s\nFrom            %s at %s\nReceived        %s, last %s, %d times\n",
			q.ID, q.Reason, uid.Name(q.Instance.SOPClassUID), q.Instance.SOPInstanceUID, q.Instance.StudyUID, q.Instance.Digest, stored,
			shown.Text(sentBy(q.Source)), q.Source.Address, minute(q.Received), minute(q.LastReceived), q.Times)
		for _, f := range found {
			fmt.Fprintf(e.stdout, "Found           %s\n", f)
		}
		if c.Out == "" {
			return nil
		}
		return writeQuarantined(e, a, c.ID, c.Out)
	})
}

func writeQuarantined(e *env, a *archive.Archive, id int64, path string) error {
	o, err := a.OpenQuarantined(e.ctx, id)
	if err != nil {
		return err
	}
	defer o.Close()
	f, err := durable.Create(filepath.Dir(path), 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer f.Abort()
	if _, err := io.Copy(f, io.NewSectionReader(o, 0, o.Size())); err != nil {
		return err
	}
	if err := f.Once(path); errors.Is(err, fs.ErrExist) {
		return usageError("--out: %s is there already and is not replaced; name another file", path)
	} else if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	_, err = fmt.Fprintf(e.stdout, "Wrote %s.\n", path)
	return err
}

type quarantineReleaseCmd struct {
	dataFlags
	heldFlags
}

func (quarantineReleaseCmd) Help() string {
	return `Where another content is stored under the UID, the two change places: what was stored is held
back as replaced, and nothing is lost. With --study, what gave way before stays held back.

Examples:
  collimator quarantine release 7
  collimator quarantine release --study 1.2.3`
}

func (c *quarantineReleaseCmd) Run(e *env) error {
	return c.each(e, c.dataFlags, "is in the archive", func(a *archive.Archive, q archive.QuarantineEntry) (bool, error) {
		if c.Study != "" && q.Reason == archive.Replaced {
			return false, nil
		}
		_, err := a.Release(e.ctx, q.ID, archive.Source{Principal: house.Operator()})

		return true, err
	})
}

type quarantineDestroyCmd struct {
	dataFlags
	heldFlags
}

func (quarantineDestroyCmd) Help() string {
	return `Its digest stays in the ledger; the file is gone.

Examples:
  collimator quarantine destroy 7
  collimator quarantine destroy --study 1.2.3`
}

func (c *quarantineDestroyCmd) Run(e *env) error {
	return c.each(e, c.dataFlags, "is destroyed", func(a *archive.Archive, q archive.QuarantineEntry) (bool, error) {
		return true, a.Destroy(e.ctx, q.ID, archive.Source{Principal: house.Operator()})
	})
}

// heldFlags name one entry or those of a study.
type heldFlags struct {
	ID    int64  `arg:"" name:"number" optional:"" help:"Number from 'quarantine list'."`
	Study string `help:"All entries of this Study Instance UID instead of one." placeholder:"UID"`
}

// each decides about the entries. f says whether it took one up.
func (h *heldFlags) each(e *env, d dataFlags, what string, f func(*archive.Archive, archive.QuarantineEntry) (bool, error)) error {
	if (h.ID == 0) == (h.Study == "") {
		return usageError("name a number from 'quarantine list', or a study with --study")
	}

	return d.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		list, err := h.entries(e, a)
		if err != nil {
			return err
		}
		done := 0
		for _, q := range list {
			took, err := f(a, q)
			if err != nil {
				return fmt.Errorf("number %d: %w; %d done before it", q.ID, err, done)
			}
			if !took {
				continue
			}
			done++
			if _, err := fmt.Fprintf(e.stdout, "Number %d %s.\n", q.ID, what); err != nil {
				return err
			}
		}
		if done == 0 {
			return fault.New(fault.NotFound, "nothing of the study is held back that could be decided about")
		}

		return nil
	})
}

func (h *heldFlags) entries(e *env, a *archive.Archive) ([]archive.QuarantineEntry, error) {
	if h.Study != "" {
		return a.QuarantinedOf(e.ctx, h.Study)
	}
	q, err := a.Quarantined(e.ctx, h.ID)

	return []archive.QuarantineEntry{q}, err
}
