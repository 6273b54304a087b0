package backup

import (
	"fmt"
	"io"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/phrase"
	"collimator/internal/terminal"
)

// Print says in words what a backup into a directory did, and what to do next.
// kept says that somebody confirmed that the recovery key is kept.
func (r Result) Print(w io.Writer, dir string, kept bool, took time.Duration) error {
	fmt.Fprintf(w, "Backup %s: %s (%s), of which %d (%s) %s copied now, and the index with %s of the ledger, in %s.\n",
		r.Name, phrase.Count(r.Files, "file", "files"), terminal.Size(r.Bytes),
		r.Copied, terminal.Size(r.CopiedBytes), phrase.Of(r.Copied, "was", "were"),
		phrase.Count(r.Leaves, "leaf", "leaves"), took.Round(time.Millisecond))

	fmt.Fprintf(w, "%s kept; %s removed.\n",
		phrase.Count(r.Kept, "copy of the index is", "copies of the index are"),
		phrase.Count(r.Removed, "file that none of them names was", "files that none of them names were"))

	for _, l := range r.Lacking {
		fmt.Fprintf(w, "lacking: file %.16s...: %s\n", l.Digest, strings.TrimPrefix(l.What, "blob: "))
	}

	if r.Sealed == nil {
		_, err := fmt.Fprint(w, withoutKeysText)
		return err
	}

	if !kept {
		fmt.Fprintln(w, "Nobody has confirmed yet that the recovery key is kept; "+
			"without it the keys in this backup cannot be read: collimator recovery-key --confirm")
	}

	_, err := fmt.Fprintf(w, "Try it: collimator restore --rehearse %s\n", dir)
	return err
}

// withoutKeysText says what a backup without keys cannot bring back.
const withoutKeysText = `Keys and settings are not in it. After a restore these are new: the authority of the certificates, so
that every device needs a new one (collimator device renew) and every peer the new ca.pem; the key of
the ledger, which goes on with a leaf that says so; the key of pseudonyms, so that de-identified copies
of one patient no longer go together; collimator.yaml; and routes.yaml, the routes of the gate.
`

// Verdict ends as fault.Partly where something was missing or damaged.
func (r Result) Verdict() error {
	if len(r.Lacking) == 0 {
		return nil
	}
	return fault.Partial("%s missing or damaged in the archive and not in the backup; see 'collimator verify'",
		phrase.Count(len(r.Lacking), "file is", "files are"))
}

// Print says in words what is there again.
func (r Restored) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Restored %s as of %s: %s (%s), %s of the ledger.\n",
		r.Name, terminal.Minute(r.Made), phrase.Count(r.Files, "file", "files"), terminal.Size(r.Bytes),
		phrase.Count(r.Leaves, "leaf", "leaves"))
	return err
}

// Print says in words what a rehearsal brought back, and how long it took.
func (r Rehearsal) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Copy %s was restored and verified in a scratch directory: %s (%s) in %s, verified in %s.\n",
		r.Copy, phrase.Count(r.Files, "file", "files"), terminal.Size(r.Bytes),
		r.Restore.Round(time.Millisecond), r.Verify.Round(time.Millisecond))

	if !r.Keys {
		fmt.Fprintln(w, "The recovery key was not tried; try it with --recovery FILE.")
	}

	return err
}

// Sealing says whether keys are in a copy.
func (m Manifest) Sealing() string {
	if m.Sealed == nil {
		return "no"
	}
	return "sealed"
}
