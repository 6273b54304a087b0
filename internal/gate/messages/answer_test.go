package messages

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestTheGateNeverAcknowledgesInThePlaceOfTheSystemBehind(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	for name, answer := range map[string]string{
		"none": "", "of another message": ackOf("AA", "76"), "without MSA": "MSH|^~\\&|||||||ACK|1|P|2.3\r", "twice": ackOf("AA", "77") + "MSA|AA|77\r",
		"of the other mode": ackOf("CA", "77"), "no code": ackOf("YES", "77"), "with another message": ackOf("AA", "77") + "\x1C\r\x0B" + ackOf("AA", "77"),
		"no frame": "\x1C", "no HL7": "hello",
	} {
		behind.says(func(string) string { return answer })
		if got := send(t, at).tell(admit); !strings.Contains(got, "MSA|AE|77|gate, route HL7: ") {
			t.Errorf("%s: %q", name, got)
		}
	}
	g.Take([]Route{plainRoute(at, free(t))})
	if got := send(t, at).tell(admit); !strings.Contains(got, "MSA|AE|77|") {
		t.Errorf("nobody there: %q", got)
	}
	if strings.Contains(g.told(), "answered AA") {
		t.Errorf("%s", g.told())
	}
}

// After an answer that came too late the next message has its own.
func TestALateAnswerIsNotTakenForThatOfTheNextMessage(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	behind.says(func(string) string { time.Sleep(400 * time.Millisecond); return ackOf("AA", "77") })
	if got := s.tell(admit); !strings.Contains(got, "MSA|AE|77|") {
		t.Errorf("%q", got)
	}
	behind.says(func(string) string { return ackOf("AR", "77") })
	if got := s.tell(admit); got != ackOf("AR", "77") {
		t.Errorf("%q", got)
	}
}

// A system that answers though nobody waits, late and to a number that comes again.
func TestAnAnswerThatNobodyWaitsForIsNotThatOfTheNextMessage(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	behind.says(func(message string) string {
		if strings.Contains(message, "NE|NE") {
			time.Sleep(100 * time.Millisecond)
			return ackOf("AA", "77")
		}
		return ackOf("AR", "77")
	})
	io.WriteString(s.Conn, "\x0B"+strings.Replace(admit, "|2.5", "|2.5|||NE|NE", 1)+"\x1C\r")
	if got := s.tell(admit); got != ackOf("AR", "77") || len(behind.seen()) != 2 {
		t.Errorf("%q, %d messages", got, len(behind.seen()))
	}
}

func TestEnhancedModeAndSilence(t *testing.T) {
	t.Parallel()
	g, behind, at := newGate(t), newSystem(t), free(t)
	g.Take([]Route{plainRoute(at, behind.address)})
	s := send(t, at)
	behind.says(func(string) string { return ackOf("CA", "77") })
	if got := s.tell(strings.Replace(admit, "|2.5", "|2.5|||AL|NE", 1)); got != ackOf("CA", "77") {
		t.Errorf("%q", got)
	}
	behind.says(func(message string) string {
		if strings.Contains(message, "NE|NE") {
			return ""
		}
		return ackOf("AA", "77")
	})
	io.WriteString(s.Conn, "\x0B"+strings.Replace(admit, "|2.5", "|2.5|||NE|NE", 1)+"\x1C\r")
	if got := s.tell(admit); got != ackOf("AA", "77") || len(behind.seen()) != 3 {
		t.Errorf("%q, %d messages", got, len(behind.seen()))
	}
}
