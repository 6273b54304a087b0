package finding

import (
	"strings"
	"testing"
	"time"
)

func TestArchiveIsJudgedByItsOwnRegisters(t *testing.T) {
	t.Parallel()
	place := Place{Asset: "A1"}
	if list := JudgeArchive(ArchiveFacts{Witnessed: true, Forwarded: true, Alarmed: true, BackedUp: true, Recoverable: true}, place); len(list) != 0 {
		t.Errorf("nothing is wrong and there are %d issues", len(list))
	}
	all := JudgeArchive(ArchiveFacts{
		Plaintext: []Exception{{"CT1", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}}, NoCertificate: []Exception{{"XR1", time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)}}, Held: map[string]int{"suspicious": 2, "other-patient": 1}, Oldest: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Drift:        []Drift{{"CT1", "PACS", "C-STORE of MR Image Storage", "no rule", time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC)}},
		SingleFactor: []string{"ada"}, Public: true, LastBackup: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC),
		Parts: []Part{{Name: "disk", Text: "4 % are free", Do: "make room", Failing: true, Since: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)}, {Name: "backup", Text: "none"}},
	}, place)
	if len(all) != len(ArchiveChecks()) {
		t.Fatalf("%d issues of %d checks", len(all), len(ArchiveChecks()))
	}
	text := ""
	for i, c := range ArchiveChecks() {
		if all[i].Check != c.ID || all[i].Fix.Do == "" || len(all[i].Fix.Changes) == 0 || len(all[i].Evidence) == 0 || all[i].Text == "" || all[i].Place != place {
			t.Errorf("%+v", all[i])
		}
		for _, e := range all[i].Evidence {
			text += e.Received + "\n"
		}
	}
	for _, want := range []string{"CT1 until 2026-12-31", "XR1 until 2027-01-31", "3 entries: 1 other-patient, 2 suspicious", "1: ada", "2026-11-02", "refused, last on 2026-11-04: no rule", "4 % are free, since 2026-11-03; make room"} {
		if !strings.Contains(text, want) {
			t.Errorf("the evidence lacks %q:\n%s", want, text)
		}
	}
	if i := all[len(all)-3]; i.Severity != High || len(i.Evidence) != 1 {
		t.Errorf("a part that fails: %s, %d lines of evidence", i.Severity, len(i.Evidence))
	}
	if required := JudgeArchive(ArchiveFacts{SingleFactor: []string{"ada"}, SecondFactor: true, Witnessed: true, Forwarded: true, Alarmed: true, BackedUp: true, Recoverable: true}, place); required[0].Severity != Medium {
		t.Errorf("severity %s", required[0].Severity)
	}
}
