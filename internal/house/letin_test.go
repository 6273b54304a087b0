package house_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/archive"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/verify"
)

// fillRegisters fills every register, by the program's own functions where they are
// within reach.
func fillRegisters(in *house.Installation, t *testing.T) {
	t.Helper()
	ctx, r := t.Context(), in.Registry
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(r.Put(ctx, identity.Device{AETitle: "WS2", Verbs: []policy.Verb{policy.Query}}))
	issued, err := in.Authority.IssueDevice("WS2", 0, false)
	must(err)
	must(r.Bind(ctx, "WS2", issued.Certificate))
	must(in.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := in.Registers.Exec(ctx, tx, `INSERT INTO person (name, role, password_hash, created, disabled) VALUES ('ada', ?1, '$a', 1, 0), ('referrer1', 'referrer', '$b', 1, 0)`, identity.Administrator)
		return err
	}))
	must(r.GrantStudy(ctx, "referrer1", "2.25.70"))
	_, _, err = r.CreateToken(ctx, "ada", []policy.Verb{policy.Query}, nil, time.Hour)
	must(err)
	_, _, _, err = r.CreateShare(ctx, identity.NewShare{Study: "2.25.70", Lifetime: time.Hour})
	must(err)
	_, err = r.NewRecoveryCodes(ctx, "ada")
	must(err)
	_, _, err = identity.NewSessions(r, house.SessionLimits(in.Config)).Start(ctx, "ada", "password", "127.0.0.1", true, "")
	must(err)
	must(in.DB.Write(ctx, func(tx *db.Tx) error {
		for _, q := range []string{
			`INSERT INTO person_subject (issuer, subject, person) VALUES ('https://idp.example', 'ada-1', 'ada')`,
			`INSERT INTO group_grant (name, study, created) VALUES ('practices', '2.25.71', 3)`,
			`INSERT INTO provider_group (person, issuer, claim, name) VALUES ('referrer1', 'https://idp.example', 'groups', 'practices')`,
			`INSERT INTO person_link (hash, purpose, person, role, factors, expires) VALUES (x'01', 'password', 'ada', '', 0, 5)`,
			`INSERT INTO totp (person, secret, pending, step) VALUES ('ada', x'0102', x'', 7)`,
			`INSERT INTO passkey_handle (person, handle) VALUES ('ada', x'0304')`,
			`INSERT INTO passkey (id, person, rp, name, credential, created, used) VALUES ('key1', 'ada', 'localhost', 'token', x'05', 1, 0)`,
			`INSERT INTO share_session (hash, share, expires) SELECT x'06', id, 9 FROM share`,
			`INSERT INTO commitment_report (ae_title, report, event_type, created, attempts, next) VALUES ('WS2', x'07', 1, 1, 0, 1)`,
			`INSERT INTO audit_delivery (repository, sequence) VALUES ('audit.example:6514', 2)`,
			`INSERT INTO posture_told (channel, sequence, event) VALUES ('mail', 2, 3)`,
			`INSERT INTO ledger_witness (path, checkpoints, bytes, note) VALUES ('/elsewhere/witness', 2, 900, 'note')`,
		} {
			if _, err := in.Registers.Exec(ctx, tx, q); err != nil {
				return err
			}
		}
		return nil
	}))
}

func where(problems []verify.Problem) (list []string) {
	for _, p := range problems {
		list = append(list, p.Where)
	}
	return list
}

// imagesVerified opens a data directory as a process beside the server does, and
// verifies a share of its images.
func imagesVerified(t *testing.T, c config.Config, share float64) (problems []verify.Problem) {
	t.Helper()
	beside(t, c, func(in *house.Installation) error {
		return house.WithBlobs(in, func(a *archive.Archive) error {
			if err := in.BringUpToDate(t.Context(), a, nil); err != nil {
				return err
			}
			if err := in.MayBeJudged(t.Context(), a); err != nil {
				return err
			}
			r, err := verify.Run(t.Context(), in.Verification(verify.Options{Archive: a, Share: share}))
			problems = r.Problems

			return err
		})
	})

	return problems
}

func wholeVerified(t *testing.T, c config.Config) []verify.Problem {
	t.Helper()
	return imagesVerified(t, c, 1)
}

func sampleVerified(t *testing.T, c config.Config) []verify.Problem {
	t.Helper()
	return imagesVerified(t, c, 0.5)
}

// trailVerified verifies the ledger, the trail and the registers, without images.
func trailVerified(t *testing.T, c config.Config) (problems []verify.Problem) {
	t.Helper()
	beside(t, c, func(in *house.Installation) error {
		r, err := verify.Run(t.Context(), in.Verification(verify.Options{}))
		problems = r.Problems

		return err
	})

	return problems
}

// beside opens a data directory once more, does something and closes it.
func beside(t *testing.T, c config.Config, do func(in *house.Installation) error) {
	t.Helper()
	in, err := house.Open(t.Context(), c, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(in), in.Close()); err != nil {
		t.Error(err)
	}
}

// Whoever can write the data directory lets himself in: each way is named, in
// every kind of verification.
func TestVerifyNamesWhoWasLetInFromOutside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ do, want string }{
		"all verbs":                {`UPDATE device SET verbs = 'echo,store,query,retrieve,commit' WHERE ae_title = 'WS2'`, "device WS2"},
		"an exception":             {`UPDATE device SET plaintext_until = 4070908800000, address = '' WHERE ae_title = 'WS2'`, "device WS2"},
		"a device":                 {`INSERT INTO device (ae_title, address, verbs, destinations, listen, plaintext_until, created, removed) SELECT 'EVIL', address, verbs, destinations, listen, 4070908800000, created, removed FROM device`, "device EVIL"},
		"a certificate":            {`INSERT INTO device_certificate SELECT 'FF'||substr(fingerprint, 3), ae_title, subject, not_after, created, 0, '' FROM device_certificate`, "certificate WS2 FF"},
		"a role":                   {`UPDATE person SET role = 'administrator' WHERE name = 'referrer1'`, "person referrer1"},
		"a password":               {`UPDATE person SET password_hash = (SELECT password_hash FROM person WHERE name = 'ada') || '=' WHERE name = 'referrer1'`, "person referrer1"},
		"a subject":                {`INSERT INTO person_subject VALUES ('https://evil.example', 'me', 'ada')`, "name at an identity provider ada https://evil.example me"},
		"a one-time link":          {`INSERT INTO person_link (hash, purpose, person, role, factors, expires) VALUES (x'0909', 'password', 'ada', '', 1, 4070908800000)`, "one-time link for ada"},
		"a second factor":          {`UPDATE totp SET secret = x'ff'`, "authenticator app of ada"},
		"no second factor":         {`DELETE FROM totp`, "authenticator app of ada"},
		"a recovery code":          {`INSERT INTO recovery_code VALUES ('ada', x'0909')`, "recovery code of ada"},
		"a handle":                 {`UPDATE passkey_handle SET handle = x'09'`, "passkey handle of ada"},
		"a passkey":                {`UPDATE passkey SET credential = x'09'`, "passkey of ada key1"},
		"a session":                {`INSERT INTO session (hash, id, person, complete, method, address, created, seen, expires) SELECT x'09', 'planted', person, 1, method, address, created, seen, expires FROM session`, "session of ada planted"},
		"a grant":                  {`INSERT INTO study_grant VALUES ('referrer1', '2.25.71', 1)`, "grant to referrer1 2.25.71"},
		"a token that was revoked": {`UPDATE access_token SET revoked = 5`, "token "},
		"a link":                   {`UPDATE share SET expires = 4070908800000`, "link "},
		"a browser":                {`INSERT INTO share_session SELECT x'0909', id, 4070908800000 FROM share`, "browser with link "},
		"a commitment":             {`UPDATE commitment_report SET report = x'09'`, "commitment report for WS2 1"},
		"no delivery":              {`UPDATE audit_delivery SET sequence = 999999`, "delivery of the trail to audit.example:6514"},
		"no alarms":                {`UPDATE posture_told SET sequence = 999999`, "alarms told to mail"},
		"a witness, forged":        {`UPDATE ledger_witness SET checkpoints = 0, bytes = 0`, "what was written to the witness /elsewhere/witness"},
		"a witness, removed":       {`DELETE FROM ledger_witness`, "what was written to the witness /elsewhere/witness"},
		"no index":                 {`DROP INDEX study_by_patient`, "index"},
		"an index":                 {`CREATE INDEX planted ON person (name)`, "index"},
		"a column":                 {`ALTER TABLE person ADD COLUMN shadow TEXT`, "index"},
		"a table":                  {`CREATE TABLE planted (a)`, "index"},
		"a refusal":                {`INSERT INTO refusal (uid, digest, reason, principal, times, last) VALUES ('2.25.90', 'd', 'r', 'CT1', 1, 1)`, "2.25.90"},
		"a trigger":                {`CREATE TRIGGER t BEFORE UPDATE OF disabled ON person BEGIN SELECT RAISE(IGNORE); END`, "index"},
		"a view":                   {`CREATE VIEW v AS SELECT 1`, "index"},
		"a negative leaf":          {`INSERT INTO ledger_leaf VALUES (-5, 'audit', '', '{}')`, "ledger"},
		"a foreign hash":           {`INSERT INTO ledger_hash VALUES (9999999, x'00')`, "ledger"},
		"a negative hash":          {`INSERT INTO ledger_hash VALUES (-1, x'00')`, "ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := sitetest.Filled(t)
			fillRegisters(in, t)
			if p := sitetest.Verified(t, in); len(p) != 0 {
				t.Fatalf("untouched: %v", p)
			}
			sitetest.Tamper(t, in, c.do)
			got := where(sitetest.Verified(t, in))
			if !slices.ContainsFunc(got, func(w string) bool { return strings.HasPrefix(w, c.want) }) {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if name == "a refusal" {
				return // of the index, which only a full verification builds anew
			}
			for kind, verified := range map[string]func(*testing.T, config.Config) []verify.Problem{"a sample": sampleVerified, "the trail alone": trailVerified} {
				if got := where(verified(t, in.Config)); !slices.ContainsFunc(got, func(w string) bool { return strings.HasPrefix(w, c.want) }) {
					t.Errorf("%s: found %q, want %q", kind, got, c.want)
				}
			}
		})
	}
}

// What is changed before the program is opened again is not taken for granted.
func TestOpeningTheIndexAgainCoversNothingUp(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	fillRegisters(in, t)
	c := in.Config
	sitetest.Tamper(t, in, `UPDATE device SET verbs = 'store'`)
	in.Close()
	again, err := house.Open(t.Context(), c, false)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if p := sitetest.Verified(t, again); len(p) != 1 || p[0].Where != "device WS2" {
		t.Errorf("opening the index again covers up: %v", p)
	}
}
