package hl7

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const admit = "MSH|^~\\&|SIS|WARD|RIS|RAD|20261130||ADT^A01^ADT_A01|77|P|2.5|||AL|NE|DEU|8859/1\rEVN|A01\rPID|1||ZZPHI-1||ZZPHI^ONE\r"

func TestFramesAreReadWhateverThePiecesInWhichTheyCome(t *testing.T) {
	t.Parallel()
	stream := "\x0B" + admit + "\x1C\r\r\n\x0Bsecond\x1C\r"
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(stream), "a byte at a time": iotest.OneByteReader(strings.NewReader(stream)),
	} {
		in := NewReader(r)
		for _, want := range []string{admit, "second"} {
			if err := in.Begin(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got, err := in.Message(1 << 20); err != nil || string(got) != want {
				t.Fatalf("%s: %q, %v", name, got, err)
			}
		}
		if err := in.Begin(); err != io.EOF {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
}

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	t.Parallel()
	for stream, want := range map[string]error{
		"MSH": ErrFraming, "\r\n\r\n\r\n\x0Bx\x1C\r": ErrFraming, "\x0Ba\x0Bb\x1C\r": ErrFraming, "\x0Ba\x1Cb\x1C\r": ErrFraming,
		"\x0Ba\x1C\n": ErrFraming, "\x0Ba\x1C\x1C\r": ErrFraming, "\x0Ba": io.ErrUnexpectedEOF, "\x0Ba\x1C": io.ErrUnexpectedEOF,
		"\x0B" + strings.Repeat("a", 11) + "\x1C\r": ErrTooLong, "\x0B" + strings.Repeat("a", 10) + "\x1C\r": nil,
	} {
		in := NewReader(strings.NewReader(stream))
		err := in.Begin()
		if err == nil {
			_, err = in.Message(10)
		}
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", stream, err, want)
		}
	}
	for _, message := range []string{"a\x0Bb", "a\x1Cb"} {
		if _, err := Frame([]byte(message)); err != ErrFraming {
			t.Errorf("%q: %v", message, err)
		}
	}
}

func TestHeadersAreReadAsTheFieldSendsThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ message, kind, id string }{
		"as it should be":     {admit, "ADT^A01", "77"},
		"LF":                  {strings.ReplaceAll(admit, "\r", "\n"), "ADT^A01", "77"},
		"CR LF":               {strings.ReplaceAll(admit, "\r", "\r\n"), "ADT^A01", "77"},
		"byte order mark":     {byteOrderMark + admit, "ADT^A01", "77"},
		"one segment":         {"MSH|^~\\&|||||||ORM^O01|1|P|2.3", "ORM^O01", "1"},
		"no control ID":       {"MSH|^~\\&|||||||ORU^R01\rOBX|1\r", "ORU^R01", ""},
		"no trigger":          {"MSH|^~\\&|||||||ACK|9|P|2.3\rMSA|AA|1\r", "ACK", "9"},
		"other delimiters":    {"MSH$%~\\&$$$$$$$ADT%A08$5$P$2.3\r", "ADT^A08", "5"},
		"truncation of 2.7":   {"MSH|^~\\&#|||||||ADT^A01^ADT_A01|6|P|2.7\r", "ADT^A01", "6"},
		"two encoding alone":  {"MSH|^~|||||||ADT^A01|6|P|2.3\r", "ADT^A01", "6"},
		"text that says MSHX": {"MSH|^~\\&|||||||ADT^A01|6|P|2.3\rNTE|MSH|x\r", "ADT^A01", "6"},
	} {
		h, err := ReadHeader([]byte(c.message))
		if err != nil || h.Type() != c.kind || h.ControlID != c.id {
			t.Errorf("%s: %q %q, %v", name, h.Type(), h.ControlID, err)
		}
	}
	h, _ := ReadHeader([]byte(admit))
	if h.AcceptAck != "AL" || h.ApplicationAck != "NE" || h.CharacterSet != "8859/1" || h.Version != "2.5" {
		t.Errorf("%+v", h)
	}
}

func TestHeadersThatCannotBeReadAndBatchesAreRefused(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]error{
		"": ErrHeader, "MSH": ErrHeader, "PID|1\r": ErrHeader, "MSHA^~\\&AAA": ErrHeader, "MSH|^~\\&|||||||\r": ErrHeader,
		"MSH|^^\\&|||||||ADT^A01|1": ErrHeader, "MSH||~\\&|||||||ADT^A01|1": ErrHeader, "MSH|^~\\&|||||||ZZPHI^A01|1": ErrHeader,
		"MSH|^~\\&|||||||ADT^ZZPHI|1": ErrHeader, "MSH|^~\\&|||||||ADT^A01|" + strings.Repeat("1", 200): ErrHeader,
		"MSH|^~\\&|" + strings.Repeat("x", 5000) + "||||||ADT^A01|1\r": ErrHeader, "M\x00S\x00H\x00|\x00^\x00~\x00\\\x00": ErrHeader,
		"MSH|^~\\&|\x00||||||ADT^A01|1\r":         ErrHeader,
		"BHS|^~\\&|\rMSH|^~\\&|||||||ADT^A01|1\r": ErrBatch, "FHS|^~\\&|\r": ErrBatch, admit + admit: ErrBatch,
		admit + "\n BHS|^~\\&\r": ErrBatch, strings.ReplaceAll(admit, "\r", "\n") + "MSH|x": ErrBatch,
	} {
		if _, err := ReadHeader([]byte(message)); !errors.Is(err, want) {
			t.Errorf("%.60q: %v, want %v", message, err, want)
		}
	}
}

// What a receiver may read otherwise than the gate is refused, whichever of them is right.
func TestMessagesThatAreTwoThingsAtATimeAreRefused(t *testing.T) {
	t.Parallel()
	order := "MSH|^~\\&|||||||ORM^O01|2|P|2.3\r"
	with := func(facility, set string) string {
		return "MSH|^~\\&|A|" + facility + "|B|C|1||ADT^A01|1|P|2.5||||||" + set + "\rPID|1\r"
	}
	for name, c := range map[string]struct {
		message string
		want    error
	}{
		"escape to another character set":           {with("\x1b$B", "ISO IR87"), ErrHeader},
		"shift to another character set":            {with("\x0Ex\x0F", ""), ErrHeader},
		"separator within a character of GB 18030":  {with("\x81", "GB 18030-2000"), ErrHeader},
		"separator within a character of Big5":      {with("\xA4", "BIG-5"), ErrHeader},
		"a second character set":                    {with("\x81", "ASCII~BIG-5"), ErrHeader},
		"a character set that nobody knows":         {with("\xB1\x81", "SHIFT_JIS"), ErrHeader},
		"whole characters of GB 18030":              {with("\xD6\xD0\xB9\xFA", "GB 18030-2000"), nil},
		"whole characters of Big5":                  {with("\xA4\xA4", "BIG-5"), nil},
		"Latin 1":                                   {with("Fribourg\xE9", "8859/1"), nil},
		"UTF-8":                                     {with("Zürich é", "UNICODE UTF-8"), nil},
		"no character set":                          {with("Zürich é", ""), nil},
		"two headers by two separators":             {"MSH#^~\\&#x|1|2|3|4|5|6|7|ORM^O01|2######ADT^A01#1#P#2.3\r", ErrHeader},
		"another message behind NUL":                {admit + "\x00" + order, ErrBatch},
		"another message behind a form feed":        {admit + "NTE|1\f" + order, ErrBatch},
		"another message behind a record separator": {admit + "NTE|1\x1E  " + order, ErrBatch},
		"another message behind NEL":                {admit + "NTE|1\u0085" + order, ErrBatch},
		"another message behind U+2028":             {admit + "NTE|1\u2028" + order, ErrBatch},
		"another message behind a byte order mark":  {admit + byteOrderMark + order, ErrBatch},
		"a batch behind a tab":                      {admit + "\tBHS|^~\\&|", ErrBatch},
		"text that speaks of MSH":                   {admit + "NTE|1|see MSH-9 and\tMSH|", nil},
	} {
		if _, err := ReadHeader([]byte(c.message)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAnswersSayWhatTheyAnswer(t *testing.T) {
	t.Parallel()
	h, _ := ReadHeader([]byte(admit))
	answer := h.Answer(Rejected, "G1", "rule \"a|b^c\" grants\r no ADT^A01, ü", time.Date(2026, 11, 30, 4, 5, 6, 0, time.UTC))
	want := "MSH|^~\\&|RIS|RAD|SIS|WARD|20261130040506||ACK^A01|G1|P|2.5\rMSA|AR|77|rule \"a b c\" grants  no ADT A01,  \r"
	if string(answer) != want {
		t.Errorf("%q", answer)
	}
	if a, err := ReadAck(answer); err != nil || a.Code != Rejected || a.ControlID != "77" {
		t.Errorf("%+v, %v", a, err)
	}

	for _, bad := range []string{admit, "MSH|^~\\&|||||||ACK|1|P|2.3\rMSA|AA\r", "MSH|^~\\&|||||||ACK|1|P|2.3\rMSA|XX|1\r",
		"MSH|^~\\&|||||||ACK|1|P|2.3\rMSA|AA|1\rMSA|AE|2\r", "MSH|^~\\&|||||||ACK|1|P|2.3\rMSAX|AA|1\r", "MSA|AA|1\r", ""} {
		if _, err := ReadAck([]byte(bad)); err == nil {
			t.Errorf("%q is an answer", bad)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x0B" + admit + "\x1C\r\r\n\x0Bsecond\x1C\r"))
	f.Add([]byte("\x0Ba\x1Cb\x1C\r"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := NewReader(bytes.NewReader(b))
		for in.Begin() == nil {
			message, err := in.Message(64)
			if len(message) > 64 {
				t.Fatalf("%d bytes", len(message))
			}
			if err != nil {
				return
			}
			framed, err := Frame(message)
			if err != nil || !bytes.Contains(b, framed) {
				t.Fatalf("%q of %q, %v", framed, b, err)
			}
		}
	})
}

func FuzzReadHeader(f *testing.F) {
	f.Add([]byte(admit))
	f.Add([]byte(byteOrderMark + "MSH$%~\\&$$$$$$$ADT%A08$5$P$2.3\nMSA$AA$1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ReadAck(b)
		h, err := ReadHeader(b)
		if err != nil {
			return
		}
		if len(h.Type()) > 7 || len(h.ControlID) > idMost {
			t.Fatalf("%q %q", h.Type(), h.ControlID)
		}
		answer := h.Answer(Error, "1", "text", time.Unix(0, 0))
		again, err := ReadHeader(answer)
		if err != nil || again.Code != "ACK" || again.Trigger != h.Trigger {
			t.Fatalf("%q: %q, %v", b, answer, err)
		}
		if a, err := ReadAck(answer); err != nil || a.ControlID != h.ControlID || a.Code != Error {
			t.Fatalf("%q: %+v, %v", answer, a, err)
		}
	})
}
