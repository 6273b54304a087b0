package house

import (
	"fmt"
	"io"

	"collimator/internal/archive"
	"collimator/internal/fault"
	"collimator/internal/phrase"
)

// Print says in words what was made anew, what is lost, and what to do next.
func (r *Reindexed) Print(w io.Writer) error {
	fmt.Fprintf(w, "The index is made anew: %s, %d held back.\n", phrase.Count(r.Instances, "image", "images"), r.HeldBack)
	fmt.Fprintf(w, "%s repeated.\n", phrase.Count(r.Statements, "statement of the ledger was", "statements of the ledger were"))
	if r.Copied != "" {
		fmt.Fprintf(w, "First, %s.\n", CopiedText(r.Copied))
	}

	for _, t := range []archive.Taken{
		archive.TakenIn, archive.TakenHeld, archive.NotDeleted, archive.NotDuplicate, archive.NotReadable,
		archive.NotWanted, archive.NotUnknown,
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
		return "taken in, recorded as stored by " + ReindexSource
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

// Verdict ends as fault.Partly where not all could be brought back.
func (r *Reindexed) Verdict() error {
	if len(r.Lost) == 0 && r.Unknown[string(archive.NotReadable)] == 0 {
		return nil
	}
	return fault.Partial("not all images could be brought back; 'collimator lost list' shows what lies aside, a backup may have the others")
}
