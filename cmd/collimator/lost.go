package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/house"
	"collimator/internal/phrase"
)

type lostCmd struct {
	List   lostListCmd   `cmd:"" help:"List what was set aside."`
	Take   lostTakeCmd   `cmd:"" help:"Take what was set aside into the archive."`
	Remove lostRemoveCmd `cmd:"" help:"Remove what was set aside; it is recorded."`
}

type lostListCmd struct {
	dataFlags
	outputFlag
}

func (lostListCmd) Help() string {
	return `Files of which the index knows nothing are set aside and never removed by themselves. A killed process
leaves a few; an index that is older than the files leaves many, and then 'collimator reindex' brings
all of them back.

Example:
  collimator lost list`
}

// asideFile is a line of the list.
type asideFile struct {
	Digest   string `json:"sha256"`
	Size     int64  `json:"size"`
	Time     string `json:"time"`
	SOPClass string `json:"sopClass"` // empty where the file cannot be read
}

func (c *lostListCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		list, err := a.Aside(e.ctx)
		if err != nil {
			return err
		}
		files := make([]asideFile, 0, len(list))
		for _, s := range list {
			if s, err = a.Describe(e.ctx, s); err != nil {
				return err
			}
			files = append(files, asideFile{Digest: s.Digest, Size: s.Size, Time: s.Time.UTC().Format("2006-01-02T15:04:05Z"), SOPClass: s.SOPClassUID})
		}

		return printList(e.stdout, c.Output, files, "SHA-256|SIZE|WRITTEN|SOP CLASS", func(f asideFile) []string {
			class := "cannot be read"
			if f.SOPClass != "" {
				class = uid.Name(f.SOPClass)
			}
			return []string{f.Digest[:16], size(f.Size), f.Time, class}
		}, "Nothing was set aside.")
	})
}

// asideFlags name files that were set aside.
type asideFlags struct {
	Files []string `arg:"" optional:"" name:"sha256" help:"First digits of a digest from 'lost list', 8 or more."`
	All   bool     `help:"All of them."`
}

// digitsLeast is how many digits name a file.
const digitsLeast = 8

func (f *asideFlags) choose(list []archive.Stranger) ([]archive.Stranger, error) {
	if f.All == (len(f.Files) > 0) {
		return nil, usageError("name files by the digits of 'collimator lost list', or all with --all")
	}
	if f.All {
		return list, nil
	}

	var out []archive.Stranger
	for _, digits := range f.Files {
		var found []archive.Stranger
		for _, s := range list {
			if len(digits) >= digitsLeast && strings.HasPrefix(s.Digest, digits) {
				found = append(found, s)
			}
		}
		if len(found) != 1 {
			return nil, usageError("%q names %d of the files that were set aside; want %d digits or more that name one", digits, len(found), digitsLeast)
		}
		out = append(out, found[0])
	}

	return out, nil
}

type lostTakeCmd struct {
	dataFlags
	asideFlags
	Output string `short:"o" help:"text or json." enum:"text,json" default:"text"`
}

func (lostTakeCmd) Help() string {
	return `Takes files in as if they had been sent: inspected, recorded, held back where they contradict what is
stored. It may be run beside the server. Exit code 3 when some stay aside.

Examples:
  collimator lost take 3f5a9c0012ab
  collimator lost take --all
  collimator lost take --all -o json`
}

func (c *lostTakeCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		log := slog.New(slog.NewTextHandler(e.stderr, nil))

		return house.WithIntake(in, log, func(a *archive.Archive) error {
			report, end := indexing(e)
			err := in.BringUpToDate(e.ctx, a, report)
			end()
			if err != nil {
				return err
			}

			return c.take(e, in, a)
		})
	})
}

func (c *lostTakeCmd) take(e *env, in *house.Installation, a *archive.Archive) error {
	list, err := a.Aside(e.ctx)
	if err != nil {
		return err
	}
	if list, err = c.choose(list); err != nil {
		return err
	}

	report := takenReport{Files: []takenFile{}}
	fate := house.Fate(in.Ledger)
	for _, s := range list {
		taken, err := a.TakeIn(e.ctx, s, archive.Source{Principal: house.ReindexSource}, fate)
		if err != nil {
			// What was taken in before stays so: it is told all the same.
			return errors.Join(fmt.Errorf("file %.16s...: %w", s.Digest, err), report.print(e.stdout, c.Output))
		}
		report.add(s.Digest, taken)
	}
	if err := report.print(e.stdout, c.Output); err != nil {
		return err
	}

	if report.Stay > 0 {
		all := phrase.Count(len(list), "file stays", "files stay")
		return &exitError{exitPartial, fmt.Errorf("%d of %s aside", report.Stay, all)}
	}

	return nil
}

// takenReport is the answer of -o json.
type takenReport struct {
	Taken int         `json:"taken"` // are images now
	Held  int         `json:"held"`  // went into quarantine
	Stay  int         `json:"stay"`  // are aside as before
	Files []takenFile `json:"files"`
}

type takenFile struct {
	Digest string        `json:"sha256"`
	Taken  archive.Taken `json:"became"`
}

func (r *takenReport) add(digest string, taken archive.Taken) {
	r.Files = append(r.Files, takenFile{Digest: digest, Taken: taken})
	switch taken {
	case archive.TakenIn:
		r.Taken++
	case archive.TakenHeld:
		r.Held++
	default:
		r.Stay++
	}
}

// print prints a line for each file, and how many there are of each kind.
func (r *takenReport) print(w io.Writer, form string) error {
	if form == "json" {
		return printJSON(w, r)
	}
	for _, f := range r.Files {
		next := ""
		if f.Taken == archive.NotUnknown {
			next = "; 'collimator reindex' brings it back"
		}
		if _, err := fmt.Fprintf(w, "%s %s%s\n", f.Digest[:16], f.Taken, next); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s taken in, %d held back, %d still aside.\n", phrase.Count(r.Taken, "file", "files"), r.Held, r.Stay)

	return err
}

type lostRemoveCmd struct {
	dataFlags
	asideFlags
	Reason string `help:"Why, in 5 to 200 characters; it stands in the audit trail." required:"" placeholder:"TEXT"`
}

func (lostRemoveCmd) Help() string {
	return `Removes files for good. The ledger keeps a tombstone of each: its UIDs and digest, who removed it and when.

Example:
  collimator lost remove 3f5a9c0012ab --reason "left by the crash of 3 November, sent again since"`
}

func (c *lostRemoveCmd) Run(e *env) error {
	return c.withArchive(e, func(_ *house.Installation, a *archive.Archive) error {
		list, err := a.Aside(e.ctx)
		if err != nil {
			return err
		}
		if list, err = c.choose(list); err != nil {
			return err
		}
		for _, s := range list {
			if err := a.Discard(e.ctx, s, archive.Source{Principal: house.Operator()}, c.Reason); err != nil {
				return reasonUsage(err)
			}
			if _, err := fmt.Fprintf(e.stdout, "%s removed\n", s.Digest[:16]); err != nil {
				return err
			}
		}

		return nil
	})
}
