package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
)

type shareCmd struct {
	Create shareCreateCmd `cmd:"" help:"Make a link to one study; it is printed once."`
	List   shareListCmd   `cmd:"" help:"List the links."`
	Revoke shareRevokeCmd `cmd:"" help:"End a link now."`
}

// lifetime is a time in hours (36h), days (7d) or weeks (2w).
type lifetime time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *lifetime) UnmarshalText(b []byte) error {
	s := string(b)
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil {
				return fmt.Errorf("want a time such as 36h, 7d or 2w")
			}
			*l = lifetime(time.Duration(n) * unit)
			return nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("want a time such as 36h, 7d or 2w")
	}
	*l = lifetime(d)
	return nil
}

type shareCreateCmd struct {
	dataFlags
	Study        string   `required:"" help:"Study Instance UID." placeholder:"UID"`
	Expires      lifetime `help:"How long it is valid, at most 92d." default:"7d"`
	Password     bool     `help:"Make a password, to be told on another way than the link."`
	Deidentified bool     `help:"Show the study without identity; images that may show the patient are left out."`
}

func (shareCreateCmd) Help() string {
	return `Who has the link sees this study and nothing else, in a browser, without an account. The link is
printed once and kept only as a hash.

Example:
  collimator share create --study 1.2.3 --expires 7d --password`
}

func (c *shareCreateCmd) Run(e *env) error {
	if !uid.Tolerable(c.Study) {
		return usageError("--study: that is no UID")
	}
	return c.withArchive(e, func(in *house.Installation, a *archive.Archive) error {
		if err := present(e, a, c.Study); err != nil {
			return err
		}
		s, secret, password, err := in.Registry.CreateShare(e.ctx, identity.NewShare{Study: c.Study, Deidentified: c.Deidentified, Password: c.Password, Lifetime: time.Duration(c.Expires)})
		if fault.Of(err) == fault.Invalid {
			return usageError("--expires: %w", err)
		}
		if err != nil {
			return err
		}
		if err := in.Record(e.ctx, audit.Record{Event: audit.Export, Action: audit.Create, Objects: []audit.Object{studyObject(e.ctx, a, c.Study, "link "+s.ID)}}); err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "Link %s, valid until %s. It is shown only now:\n", s.ID, minute(s.Expires))
		advise(e, in.Config)
		fmt.Fprintln(e.stdout, house.ShareAddress(in.Config)+secret)
		if password != "" {
			fmt.Fprintf(e.stderr, "Tell the password on another way: %s\n", password)
		}
		return nil
	})
}

// present makes sure that there is something to share.
func present(e *env, a *archive.Archive, study string) error {
	for _, err := range a.Retrieve(e.ctx, archive.RetrieveQuery{StudyUIDs: []string{study}, Scope: archive.Everything()}) {
		return err
	}
	return fault.New(fault.NotFound, "nothing is stored under this Study Instance UID")
}

type shareListCmd struct {
	dataFlags
	outputFlag
}

func (shareListCmd) Help() string { return "Example:\n  collimator share list" }

func (c *shareListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Registry.Shares(e.ctx, "")
		if err != nil {
			return err
		}
		return printList(e.stdout, c.Output, list, "LINK|STUDY|SHOWS|PASSWORD|BY|UNTIL|LAST USED|REVOKED", shareRow, "There is no link. Make one with 'collimator share create --study UID'.")
	})
}

func shareRow(s *identity.Share) []string {
	shows, password, by, used, revoked := "everything", "no", "operator", "never", ""
	if s.Deidentified {
		shows = "no identity"
	}
	if s.HasPassword {
		password = "yes"
	}
	if s.Owner != "" {
		by = s.Owner
	}
	if !s.Used.IsZero() {
		used = minute(s.Used)
	}
	if !s.Revoked.IsZero() {
		revoked = minute(s.Revoked)
	}
	return []string{s.ID, s.Study, shows, password, by, minute(s.Expires), used, dash(revoked)}
}

type shareRevokeCmd struct {
	dataFlags
	ID string `arg:"" name:"link" help:"Number from 'share list'."`
}

func (shareRevokeCmd) Help() string {
	return "Browsers that opened it see nothing more.\n\nExample:\n  collimator share revoke 1f2e3d4c5b"
}

func (c *shareRevokeCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.Registry.RevokeShare(e.ctx, c.ID, ""); err != nil {
			return err
		}
		if err := in.Record(e.ctx, audit.Record{Event: audit.Export, Action: audit.Delete, Objects: []audit.Object{{Detail: "link " + c.ID + " revoked"}}}); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "Link %s is revoked.\n", c.ID)
		return err
	})
}

// studyObject names a study and its patient in a record.
func studyObject(ctx context.Context, a *archive.Archive, study, detail string) audit.Object {
	o := audit.Object{Study: study, Detail: detail}
	o.Patient, o.PatientIssuer, _ = a.PatientOf(ctx, study) // without where the index does not say
	return o
}
