package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/house"
	"collimator/internal/house/sitetest"
	"collimator/internal/ledger"
	"collimator/internal/verify"
)

// runOn runs a command of this program on an installation and returns what it
// printed and its exit code.
func runOn(in *house.Installation, t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(append(slices.Clone(args), "--data", in.Config.Data), &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, ctx: t.Context()})
	return out.String() + errs.String(), code
}

// Every way of verifying finds what it promises to look at, and is silent about
// an archive in which things were stored, exchanged and deleted.
func TestEachVerificationFindsWhatItLooksAt(t *testing.T) {
	t.Parallel()
	full, sample, trail := []string{"verify"}, []string{"verify", "--sample", "1%"}, []string{"audit", "verify"}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, in *house.Installation)
		want   string
		found  [][]string
		not    [][]string
	}{
		{"nothing", func(*testing.T, *house.Installation) {}, "", nil, [][]string{full, sample, trail}},
		{"a file is gone", removeFile, "is not there", [][]string{full}, [][]string{trail}},
		{"a file is gone, in a sample", removeFile, "missing file", [][]string{full, sample}, nil},
		{"a row of an instance", sqlChange(`UPDATE instance SET size = size + 1 WHERE id = 3`), "instance", [][]string{full, sample}, [][]string{trail}},
		{"a row of an instance is gone", sqlChange(`DELETE FROM instance WHERE id = 3`), "instance", [][]string{full, sample}, [][]string{trail}},
		{"a row of a study", sqlChange(`UPDATE study SET description = 'x' WHERE id = (SELECT MIN(id) FROM study)`), "study", [][]string{full}, [][]string{sample, trail}},
		{"a record", sqlChange(`UPDATE ledger_leaf SET data = replace(data, '127.0.0.1', '127.0.0.2') WHERE position = 4`), "leaf 4", [][]string{full, sample, trail}, nil},
		{"a row of the trail", sqlChange(`UPDATE audit_record SET principal = 'nobody' WHERE sequence = (SELECT MAX(sequence) FROM audit_record)`), "audit", [][]string{full, sample, trail}, nil},
		{"the newest leaf is gone", sqlChange(`DELETE FROM ledger_leaf WHERE position = (SELECT MAX(position) FROM ledger_leaf)`), "ledger", [][]string{full, sample, trail}, nil},
		{"the key is another one", replaceKey, "key", [][]string{full, sample, trail}, nil},
		{"the key is another one, and the log went on", replaceKeyAndGoOn, "key was replaced", [][]string{full, sample, trail}, nil},
		{"the log was shortened and went on", shortenAndGoOn, "shortened", [][]string{full, sample, trail}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := sitetest.Filled(t)
			c.change(t, in)
			for _, args := range c.found {
				if out, code := runOn(in, t, args...); code != 1 || !strings.Contains(out, c.want) || strings.Contains(out, "ZZPHI") {
					t.Errorf("%v: exit code %d, %s", args, code, out)
				}
			}
			for _, args := range c.not {
				if out, code := runOn(in, t, args...); code != 0 {
					t.Errorf("%v: exit code %d, %s", args, code, out)
				}
			}
		})
	}
}

func sqlChange(statement string) func(*testing.T, *house.Installation) {
	return func(t *testing.T, in *house.Installation) {
		t.Helper()
		sitetest.Tamper(t, in, "PRAGMA foreign_keys = OFF", statement)
	}
}

func removeFile(t *testing.T, in *house.Installation) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(in.Config.Data, house.BlobsDir, "??", "?", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
}

func replaceKey(t *testing.T, in *house.Installation) {
	t.Helper()
	if err := os.Remove(filepath.Join(in.Config.Data, house.KeysDir, "ledger.key")); err != nil {
		t.Fatal(err)
	}
}

func replaceKeyAndGoOn(t *testing.T, in *house.Installation) {
	t.Helper()
	replaceKey(t, in)
	goOn(t, in)
}

func shortenAndGoOn(t *testing.T, in *house.Installation) {
	t.Helper()
	sitetest.Tamper(t, in, `DELETE FROM audit_record WHERE sequence = (SELECT MAX(position) FROM ledger_leaf)`, `DELETE FROM ledger_leaf WHERE position = (SELECT MAX(position) FROM ledger_leaf)`)
	goOn(t, in)
}

// goOn writes records as a new process does.
func goOn(t *testing.T, in *house.Installation) {
	t.Helper()
	again, err := house.Open(t.Context(), in.Config, false)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for range 3 {
		if err := again.Record(t.Context(), audit.Record{Event: audit.SecurityAlert, Reason: "test"}); err != nil {
			t.Fatal(err)
		}
	}
}

// A history that was rewritten with the key in hand is in itself as it should
// be. Whoever kept yesterday's checkpoint finds it, and so does a witness.
func TestARewrittenHistoryIsFoundByYesterdaysCheckpoint(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	yesterday, code := runOn(in, t, "ledger", "checkpoint")
	if code != 0 {
		t.Fatal(yesterday)
	}
	dir := t.TempDir()
	kept, witness := filepath.Join(dir, "yesterday"), filepath.Join(dir, "witness")
	if err := os.WriteFile(kept, []byte(yesterday), 0o600); err != nil {
		t.Fatal(err)
	}
	w := ledger.NewWitness(in.Ledger, in.Registers, witness)
	for range 3 {
		if err := w.Append(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := in.Record(t.Context(), audit.Record{Event: audit.SecurityAlert, Reason: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"ledger", "consistency", kept}, {"verify", "--witness", witness}, {"audit", "verify", "--witness", kept}} {
		if out, code := runOn(in, t, args...); code != 0 || args[0] == "verify" && !strings.Contains(out, "all 3 checkpoints") {
			t.Errorf("before: %v: %s", args, out)
		}
	}
	rewrite(t, in)
	if out, code := runOn(in, t, "verify"); code != 0 {
		t.Fatalf("the history is not rewritten well enough for this test: %s", out)
	}
	for _, args := range [][]string{{"ledger", "consistency", kept}, {"verify", "--witness", witness}, {"audit", "verify", "--witness", kept}} {
		if out, code := runOn(in, t, args...); code != 1 || !strings.Contains(out, "not what they were") {
			t.Errorf("%v: exit code %d, %s", args, code, out)
		}
	}
	if out, code := runOn(in, t, "verify", "--witness", filepath.Join(dir, "gone")); code != 1 || !strings.Contains(out, "not there") {
		t.Errorf("a witness that is gone: exit code %d, %s", code, out)
	}
}

// rewrite makes the whole ledger anew with its own key, without the second
// record of the trail.
func rewrite(t *testing.T, in *house.Installation) {
	t.Helper()
	var leaves []ledger.Leaf
	if err := in.Ledger.Since(t.Context(), 0, func(l ledger.Leaf) error { leaves = append(leaves, l); return nil }); err != nil {
		t.Fatal(err)
	}
	sitetest.Tamper(t, in, `DELETE FROM ledger_leaf`, `DELETE FROM ledger_hash`, `DELETE FROM ledger_checkpoint`, `DELETE FROM audit_record`)
	dropped := false
	for _, l := range leaves {
		switch {
		case l.Kind == audit.LeafKind && !dropped:
			dropped = true
		case l.Kind == audit.LeafKind:
			var r audit.Record
			if err := json.Unmarshal([]byte(l.Data), &r); err != nil {
				t.Fatal(err)
			}
			if err := in.Trail.Write(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		default:
			if err := in.DB.Write(t.Context(), func(tx *db.Tx) error { _, err := in.Ledger.Append(t.Context(), tx, l); return err }); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Who rewrites a history has to empty the witness as well: what was written to
// it is remembered, so that the loss is named.
func TestAWitnessThatWasEmptiedIsNamed(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	witness := filepath.Join(t.TempDir(), "witness")
	w := ledger.NewWitness(in.Ledger, in.Registers, witness)
	grow := func() error {
		if err := in.Record(t.Context(), audit.Record{Event: audit.SecurityAlert, Reason: "test"}); err != nil {
			t.Fatal(err)
		}
		return w.Append(t.Context())
	}
	for range 3 {
		if err := grow(); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(witness)
	if err != nil {
		t.Fatal(err)
	}
	wants := func(content, text string) {
		t.Helper()
		if err := os.WriteFile(witness, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		out, code := runOn(in, t, "audit", "verify", "--witness", witness)
		if (code != 0) != (text != "") || !strings.Contains(out, text) {
			t.Errorf("exit code %d, %s", code, out)
		}
	}
	wants(string(whole), "")
	wants("", "it holds 0 of the 3 checkpoints that were written to it: somebody removed the others")
	notes := strings.SplitAfter(string(whole), "\n\n")
	wants(string(whole[:len(whole)/2]), "somebody removed")
	wants(strings.Join(notes[:2], "")+strings.Join(notes[:2], ""), "were written to it")
	wants("", "it holds 0 of the 3 checkpoints")
	if err := grow(); !errors.Is(err, ledger.ErrRemoved) {
		t.Errorf("the server does not notice: %v", err)
	}
	if err := ledger.NewWitness(in.Ledger, in.Registers, witness).Append(t.Context()); !errors.Is(err, ledger.ErrRemoved) {
		t.Errorf("after a restart it does not notice: %v", err)
	}
	// Another file without a checkpoint is no witness either.
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := runOn(in, t, "audit", "verify", "--witness", other); code != 1 || !strings.Contains(out, "it holds no checkpoint") {
		t.Errorf("exit code %d, %s", code, out)
	}
}

// Whoever reads what a sample found must not take it for the whole.
func TestASampleSaysThatItIsOne(t *testing.T) {
	t.Parallel()
	in := sitetest.Filled(t)
	said := regexp.MustCompile(`sample.*content of (\d+) of (\d+) files`)
	if out, code := runOn(in, t, "verify", "--sample", "20%"); code != 0 || !said.MatchString(out) || strings.Contains(out, "All is") {
		t.Errorf("code %d: %s", code, out)
	}
	if out, code := runOn(in, t, "verify"); code != 0 || !strings.Contains(out, "All is as it was recorded") || strings.Contains(out, "sample") {
		t.Errorf("code %d: %s", code, out)
	}

	for _, c := range []struct {
		args   []string
		sample bool
	}{{[]string{"verify", "--sample", "20%", "-o", "json"}, true}, {[]string{"verify", "-o", "json"}, false}, {[]string{"audit", "verify", "-o", "json"}, false}} {
		out, code := runOn(in, t, c.args...)
		var v verify.Report
		if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 {
			t.Fatalf("%v: code %d, %v: %s", c.args, code, err, out)
		}
		if v.Sample != c.sample || c.sample != (v.FilesRead < v.Files) || v.Problems == nil || v.Leaves == 0 {
			t.Errorf("%v: %+v", c.args, v)
		}
	}
}
