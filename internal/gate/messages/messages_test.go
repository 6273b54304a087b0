package messages

import (
	"errors"
	"strings"
	"testing"
)

func TestWhatIsGrantedGoesThroughUnchangedAndTheAnswerComesBack(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	odd := "\xEF\xBB\xBFMSH|^~\\&|||||||ORU^R01|78|P|2.3\r\nOBX|1|TX|||\xFF\xFE ZZPHI \\X0D\\\r\n"
	for _, c := range []struct{ message, id string }{{admit, "77"}, {odd, "78"}, {strings.ReplaceAll(admit, "|77|", "||"), ""}} {
		want := ackOf("AE", c.id)
		behind.says(func(string) string { return want })
		if got := s.tell(c.message); got != want {
			t.Errorf("%q is answered %q", c.message, got)
		}
		if got := behind.seen(); got[len(got)-1] != c.message {
			t.Errorf("%q came as %q", c.message, got)
		}
	}
	if told := g.told(); strings.Contains(told, "ZZPHI") || !strings.Contains(told, "admissions: ADT^A01, 77 bytes, answered AE HL7") {
		t.Errorf("%s", told)
	}
}

func TestWhatIsNotGrantedIsRejectedWithTheRuleAndReachesNobody(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	of := func(kind string) string { return strings.Replace(admit, "ADT^A01", kind, 1) }
	for name, c := range map[string]struct {
		message, code, want string
		ends                bool
	}{
		"type":              {of("ADT^A02"), "AR", "other types of messages than ADT A02", false},
		"type of another":   {of("SIU^S12"), "AR", "other types", false},
		"too long for it":   {admit + strings.Repeat("x", 3000), "AR", "rule admissions grants messages of up to 2 KiB", false},
		"too long for all":  {admit + strings.Repeat("x", 5000), "AR", "more than 4 KiB", true},
		"batch":             {admit + admit, "AR", "more than one message", false},
		"enhanced":          {strings.Replace(of("ADT^A02"), "|2.5", "|2.5|||AL|NE", 1), "CR", "other types", false},
		"on errors alone":   {strings.Replace(admit, "|2.5", "|2.5|||ER|NE", 1), "AR", "ER and SU", false},
		"no header":         {"PID|1||ZZPHI", "", "", true},
		"batch in front":    {"BHS|^~\\&|\r" + admit, "", "", true},
		"type of a patient": {of("ZZPHI^ONE"), "", "", true},
		"nobody waits":      {strings.Replace(of("ADT^A02"), "|2.5", "|2.5|||NE|NE", 1), "", "", true},
	} {
		s := send(t, at)
		got := s.tell(c.message)
		if c.code == "" && got != "" || c.code != "" && (!strings.Contains(got, "MSA|"+c.code+"|77|") || !strings.Contains(got, c.want)) || strings.Contains(got, "ZZPHI") {
			t.Errorf("%s: %q", name, got)
		}
		if again := s.tell(admit); (again == "") != c.ends {
			t.Errorf("%s: afterwards %q", name, again)
		}
	}
	for _, got := range behind.seen() {
		if got != admit {
			t.Errorf("%q came through", got)
		}
	}
	if strings.Contains(g.told(), "ZZPHI") {
		t.Errorf("%s", g.told())
	}
}

func TestBytesThatAreNoFrameEndTheConnection(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	for _, bytes := range []string{
		"GET / HTTP/1.1\r\n\r\n", "\x0B" + admit + "\x0B" + admit + "\x1C\r", "\x0B" + admit + "\x1CZZ\x1C\r", "\x0B" + admit + "\x1C\n",
		"\x0B\x1C\r", "\r\n\r\n\r\n\x0B" + admit + "\x1C\r",
	} {
		if got := send(t, at).raw(bytes); got != "" {
			t.Errorf("%q: %q", bytes, got)
		}
	}
	if len(behind.seen()) > 0 {
		t.Errorf("%q", behind.seen())
	}
}

func TestWhatCannotBeRecordedIsNotPassedOn(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	g.full = errors.New("full")
	if got := send(t, at).tell(admit); !strings.Contains(got, "MSA|AE|77|") || len(behind.seen()) > 0 {
		t.Errorf("%q, %q", got, behind.seen())
	}
}
