package house

import (
	"context"
	"fmt"
	"io"
	"strings"

	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/phrase"
)

// digitsLeast is how many digits name a file.
const digitsLeast = 8

// ChooseAside picks of the files that were set aside those whose digests begin with
// the digits that are named, or all of them; which it is has to be said.
func ChooseAside(list []archive.Stranger, named []string, all bool) ([]archive.Stranger, error) {
	if all == (len(named) > 0) {
		return nil, fault.Usage("name files by the digits of 'collimator lost list', or all with --all")
	}
	if all {
		return list, nil
	}

	var out []archive.Stranger
	for _, digits := range named {
		var found []archive.Stranger
		for _, s := range list {
			if len(digits) >= digitsLeast && strings.HasPrefix(s.Digest, digits) {
				found = append(found, s)
			}
		}
		if len(found) != 1 {
			return nil, fault.Usage("%q names %d of the files that were set aside; "+
				"want %d digits or more that name one", digits, len(found), digitsLeast)
		}
		out = append(out, found[0])
	}

	return out, nil
}

// TakeAside takes files in as if they had been sent, one after the other. What was
// taken in before an error stays so, and is in what is given.
func (in *Installation) TakeAside(ctx context.Context, a *archive.Archive, list []archive.Stranger) (*TakenAside, error) {
	report := &TakenAside{Files: []TakenFile{}}
	fate := Fate(in.Ledger)
	for _, s := range list {
		taken, err := a.TakeIn(ctx, s, archive.Source{Principal: ReindexSource}, fate)
		if err != nil {
			return report, fmt.Errorf("file %.16s...: %w", s.Digest, err)
		}
		report.add(s.Digest, taken)
	}
	return report, nil
}

// TakenAside is what became of files that were set aside.
type TakenAside struct {
	Taken int         `json:"taken"` // are images now
	Held  int         `json:"held"`  // went into quarantine
	Stay  int         `json:"stay"`  // are aside as before
	Files []TakenFile `json:"files"`
}

// TakenFile is one of them.
type TakenFile struct {
	Digest string        `json:"sha256"`
	Taken  archive.Taken `json:"became"`
}

func (r *TakenAside) add(digest string, taken archive.Taken) {
	r.Files = append(r.Files, TakenFile{Digest: digest, Taken: taken})
	switch taken {
	case archive.TakenIn:
		r.Taken++
	case archive.TakenHeld:
		r.Held++
	default:
		r.Stay++
	}
}

// Print prints a line for each file, and how many there are of each kind.
func (r *TakenAside) Print(w io.Writer) error {
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

// Verdict ends as fault.Partly where some are aside as before.
func (r *TakenAside) Verdict() error {
	if r.Stay == 0 {
		return nil
	}
	all := phrase.Count(len(r.Files), "file stays", "files stay")
	return fault.Partial("%d of %s aside", r.Stay, all)
}

// AsideText says how many files wait for somebody to look; empty for none, and where
// there is no archive. That a process was killed, or that the index is older than the
// files, is not tampering.
func AsideText(ctx context.Context, a *archive.Archive) (string, error) {
	if a == nil {
		return "", nil // the trail alone
	}
	list, err := a.Aside(ctx)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return fmt.Sprintf("%s set aside; see 'collimator lost list'.\n",
		phrase.Count(len(list), "file of which the index knows nothing is", "files of which the index knows nothing are")), nil
}

// AsideFile is a file that was set aside, for programs.
type AsideFile struct {
	Digest   string `json:"sha256"`
	Size     int64  `json:"size"`
	Time     string `json:"time"`
	SOPClass string `json:"sopClass"` // empty where the file cannot be read
}

// AsideFiles lists what was set aside, and of which SOP Class each file is.
func AsideFiles(ctx context.Context, a *archive.Archive) ([]AsideFile, error) {
	list, err := a.Aside(ctx)
	if err != nil {
		return nil, err
	}

	files := make([]AsideFile, 0, len(list))
	for _, s := range list {
		if s, err = a.Describe(ctx, s); err != nil {
			return nil, err
		}
		files = append(files, AsideFile{
			Digest:   s.Digest,
			Size:     s.Size,
			Time:     s.Time.UTC().Format("2006-01-02T15:04:05Z"),
			SOPClass: s.SOPClassUID,
		})
	}
	return files, nil
}

// RemoveAside removes files that were set aside for good, and tells of each by its
// digest. The reason is checked.
func RemoveAside(ctx context.Context, a *archive.Archive, list []archive.Stranger, reason string, told func(digest string) error) error {
	for _, s := range list {
		if err := a.Discard(ctx, s, archive.Source{Principal: Operator()}, reason); err != nil {
			return fault.Misuse(err)
		}
		if err := told(s.Digest); err != nil {
			return err
		}
	}
	return nil
}
