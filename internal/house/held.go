package house

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/config"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/inspect"
	"collimator/internal/shown"
	"collimator/internal/terminal"
)

// SentBy is who sent what is held back: the AE title of a device, else the person
// or the token.
func SentBy(s archive.Source) string {
	if s.AETitle != "" {
		return s.AETitle
	}
	return s.Principal
}

// HeldFor says what the inspection finds in a file that is held back as
// suspicious: what and where, and the setting by which it is judged.
func HeldFor(ctx context.Context, a *archive.Archive, q archive.QuarantineEntry, c config.Inspect) ([]string, error) {
	if q.Reason != archive.Suspicious {
		return nil, nil
	}
	o, err := a.OpenQuarantined(ctx, q.ID)
	if err != nil {
		return nil, err
	}
	f, err := dicom.OpenFile(o, o.Size(), dicom.DecodeOptions{BulkThreshold: 64 << 10})
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	found, err := inspect.LookAt(ctx, f.DataSet, inspect.Limits{})
	if err = errors.Join(err, o.Close()); err != nil {
		return nil, err
	}

	var list []string
	for _, one := range found {
		list = append(list, fmt.Sprintf("%s; rule inspect.%s: %s", one, inspect.Rule(one), ruleWord(c, inspect.Rule(one))))
	}
	if len(list) == 0 {
		list = append(list, "nothing in the file itself: it was its preamble, or the virus scanner; see 'collimator audit tail'")
	}
	return list, nil
}

// ruleWord is what a setting of the inspection says.
func ruleWord(c config.Inspect, rule string) string {
	switch rule {
	case "programs":
		return c.Programs
	case "active_documents":
		return c.ActiveDocuments
	case "sealed_documents":
		return c.SealedDocuments
	case "containers":
		return c.Containers
	}
	return c.Preambles
}

// Released says in a sentence what became of an entry that was released.
func Released(q archive.QuarantineEntry) string {
	if archive.HeldAtRoute(q.Reason) {
		return fmt.Sprintf("Number %d goes through the route %s when its device sends it again.", q.ID, q.Source.Route)
	}
	return fmt.Sprintf("Number %d is in the archive.", q.ID)
}

// PrintHeld says in words what an entry of the quarantine is, and what was found in it.
func PrintHeld(w io.Writer, q archive.QuarantineEntry, found []string) error {
	stored := "nothing is stored under its UID"
	switch {
	case q.Reason == archive.AtRoute:
		stored = "another content went through the route " + q.Source.Route + ", or was there before"
	case q.Reason == archive.OtherPatientAtRoute:
		stored = "its study went through the route " + q.Source.Route + " as another patient's, or was there before as that"
	case q.Reason == archive.OtherStudyAtRoute:
		stored = "its series went through the route " + q.Source.Route + " in another study, or was there before in it"
	case q.StoredDigest != "":
		stored = "another content is stored, SHA-256 " + q.StoredDigest
	}

	_, err := fmt.Fprintf(w, "Number          %d\nWhy             %s\nSOP Class       %s\nSOP Instance    %s\n"+
		"Study           %s\nSHA-256         %s\nInstead of it   %s\nFrom            %s at %s\nReceived        %s, last %s, %d times\n",
		q.ID, q.Reason, uid.Name(q.Instance.SOPClassUID), q.Instance.SOPInstanceUID, q.Instance.StudyUID, q.Instance.Digest, stored,
		shown.Text(SentBy(q.Source)), q.Source.Address, terminal.Minute(q.Received), terminal.Minute(q.LastReceived), q.Times)

	for _, f := range found {
		fmt.Fprintf(w, "Found           %s\n", f)
	}
	return err
}

// WriteHeld writes the file of an entry, to look into it; it is not what the archive
// trusts. No file is replaced.
func WriteHeld(ctx context.Context, a *archive.Archive, id int64, path string) error {
	o, err := a.OpenQuarantined(ctx, id)
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
		return fault.Usage("--out: %s is there already and is not replaced; name another file", path)
	} else if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// HeldOf lists an entry of the quarantine by its number, or those of a study.
func HeldOf(ctx context.Context, a *archive.Archive, number int64, study string) ([]archive.QuarantineEntry, error) {
	if study != "" {
		return a.QuarantinedOf(ctx, study)
	}
	q, err := a.Quarantined(ctx, number)
	return []archive.QuarantineEntry{q}, err
}

// ReleaseHeld takes entries into the archive after all and tells of each; of a study, what
// gave way before stays held back.
func ReleaseHeld(ctx context.Context, a *archive.Archive, list []archive.QuarantineEntry, study bool, told func(number int64) error) error {
	if study {
		list = slices.DeleteFunc(list, func(q archive.QuarantineEntry) bool { return q.Reason == archive.Replaced })
	}
	return eachHeld(list, told, func(number int64) error {
		_, err := a.Release(ctx, number, archive.Source{Principal: Operator()})
		return err
	})
}

// DestroyHeld removes entries with their files and tells of each.
func DestroyHeld(ctx context.Context, a *archive.Archive, list []archive.QuarantineEntry, told func(number int64) error) error {
	return eachHeld(list, told, func(number int64) error {
		return a.Destroy(ctx, number, archive.Source{Principal: Operator()})
	})
}

// eachHeld decides about the entries, one after the other.
func eachHeld(list []archive.QuarantineEntry, told, decide func(number int64) error) error {
	for done, q := range list {
		if err := decide(q.ID); err != nil {
			return fmt.Errorf("number %d: %w; %d done before it", q.ID, err, done)
		}
		if err := told(q.ID); err != nil {
			return err
		}
	}

	if len(list) == 0 {
		return fault.New(fault.NotFound, "nothing of the study is held back that could be decided about")
	}
	return nil
}
