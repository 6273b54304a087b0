package house

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/recovery"
)

func TestARecoveryKeyCountsAsKeptWhenSomebodyShowsIt(t *testing.T) {
	t.Parallel()
	in := made(t)
	ctx := t.Context()
	typed := ""
	confirm := func() error {
		return in.ConfirmRecoveryKey(ctx, func() (string, error) { return typed, nil })
	}
	if err := confirm(); fault.EndingOf(err) != fault.Misused {
		t.Errorf("there is no key to confirm: %v", err)
	}

	key, err := in.FirstRecoveryKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	other, err := recovery.New()
	if err != nil {
		t.Fatal(err)
	}
	typed = other.Secret()
	if err := confirm(); err == nil || strings.Contains(err.Error(), typed) {
		t.Error("another key counts, or is repeated")
	}
	typed = key.Secret()
	if err := confirm(); err != nil {
		t.Error(err)
	}
	if s, err := recovery.Load(in.Config.Data); err != nil || s.Confirmed.IsZero() {
		t.Errorf("it does not count as kept: %v", err)
	}

	file := filepath.Join(t.TempDir(), "recovery.key")
	if err := in.WriteRecoveryKey(ctx, file); err != nil {
		t.Fatal(err)
	}
	if again, err := recovery.Read("--recovery", file); err != nil || again.Public() == key.Public() {
		t.Errorf("the file has no new key: %v", err)
	}
	if err := in.WriteRecoveryKey(ctx, file); fault.EndingOf(err) != fault.Misused {
		t.Errorf("a file is replaced: %v", err)
	}
	if got := recorded(t, in, audit.Maintained); len(got) < 3 {
		t.Errorf("records: %q", got)
	}
}

func TestAKeyIsRotatedWhileNobodyUsesIt(t *testing.T) {
	t.Parallel()
	in := made(t)
	ctx := t.Context()
	if _, err := in.RotateKey(ctx, "server", true); fault.EndingOf(err) != fault.Misused {
		t.Errorf("server, to its end: %v", err)
	}
	if _, err := in.RotateKey(ctx, "authority", true); fault.EndingOf(err) != fault.Misused {
		t.Errorf("an end without a beginning: %v", err)
	}

	lock, err := LockData(in.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.RotateKey(ctx, "ledger", false); fault.EndingOf(err) != fault.Misused {
		t.Errorf("beside a server: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}

	before := in.LedgerKey.Public
	text, err := in.RotateKey(ctx, "ledger", false)
	if err != nil || in.LedgerKey.Public == before || !strings.Contains(text, in.LedgerKey.Public) {
		t.Errorf("the ledger goes on with its old key: %v", err)
	}
	if got := recorded(t, in, audit.Maintained); len(got) == 0 || got[len(got)-1] != "key rotated: ledger" {
		t.Errorf("records: %q", got)
	}
}

func TestABackupInsideOfWhatItCopiesIsRefused(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for dir, fits := range map[string]bool{data: false, filepath.Join(data, "backup"): false, data + "-backup": true, filepath.Dir(data): true} {
		if err := apart(data, dir); (err == nil) != fits {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestABackupNeedsAKeyToSealTo(t *testing.T) {
	t.Parallel()
	in := made(t)
	dir := filepath.Join(t.TempDir(), "backup")
	err := WithBlobs(in, func(a *archive.Archive) error {
		if _, _, err := in.BackUp(t.Context(), a, BackingUp{Dir: dir, Keep: 1}); fault.EndingOf(err) != fault.Misused {
			t.Errorf("keys are left out unasked: %v", err)
		}
		r, _, err := in.BackUp(t.Context(), a, BackingUp{Dir: dir, Keep: 1, WithoutKeys: true})
		if err == nil && (r.Sealed != nil || r.Verdict() != nil) {
			t.Errorf("%+v", r)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) == 0 {
		t.Errorf("%d files: %v", len(list), err)
	}
}

func TestFilesThatWereSetAsideAreNamedByTheirDigits(t *testing.T) {
	t.Parallel()
	list := []archive.Stranger{{Digest: "0123456789ab"}, {Digest: "0123456789ff"}, {Digest: "ffff00001111"}}
	if got, err := ChooseAside(list, nil, true); err != nil || len(got) != len(list) {
		t.Errorf("all: %d, %v", len(got), err)
	}
	if got, err := ChooseAside(list, []string{"ffff0000"}, false); err != nil || len(got) != 1 || got[0].Digest != list[2].Digest {
		t.Errorf("one: %v, %v", got, err)
	}
	for _, named := range [][]string{nil, {"ffff"}, {"01234567"}, {"99999999"}} {
		if _, err := ChooseAside(list, named, false); fault.EndingOf(err) != fault.Misused {
			t.Errorf("%q: %v", named, err)
		}
	}

	var r TakenAside
	r.add("a", archive.TakenIn)
	r.add("b", archive.NotReadable)
	if err := r.Verdict(); r.Taken != 1 || r.Stay != 1 || fault.EndingOf(err) != fault.Partly {
		t.Errorf("%+v: %v", r, err)
	}
}
