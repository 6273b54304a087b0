package shown

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestPrintableKeepsControlCharactersOffTheTerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"CT1": "CT1", "Größe 医": "Größe 医", "a\x1b[31mb": "a?[31mb", "a\nb\tc\r": "a?b?c?", "a\x7fb\u0085": "a?b?",
		"a\u202eb\u2066c": "a?b?c", "": "", "a\u2028b\u2029c\u200bd\u200ee\ufefff\u061cg": "a?b?c?d?e?f?g", "a\x9bb": "a?b", "a\U000e0041b": "a?b",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestJSONKeepsWhatIsHarmfulOffTheTerminal(t *testing.T) {
	t.Parallel()
	const text = "Größe 医\u0085\u009b31m\u202eabc\u2066\u2028\u200b\ufeff\U000e0041\x7f𝄞"
	for size := 1; size < 12; size++ { // however it comes
		var b bytes.Buffer
		w, in := NewJSON(&b), encoded(t, map[string]string{text: text})
		for len(in) > 0 {
			n := min(size, len(in))
			if _, err := w.Write(in[:n]); err != nil {
				t.Fatal(err)
			}
			in = in[n:]
		}
		if strings.ContainsFunc(b.String(), harmful) || !strings.Contains(b.String(), "Größe 医") || !strings.Contains(b.String(), "𝄞") {
			t.Fatalf("%q", b.String())
		}
		var back map[string]string
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back[text] != text {
			t.Fatalf("%q: %v", back, err)
		}
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}

	return b
}

func TestFileNameOfAnAETitleStaysInItsDirectory(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"CT1": "CT1", "../../ETC": "______ETC", "A/B C": "A_B_C"} {
		if got := FileName(in); got != want {
			t.Errorf("FileName(%q) = %q, want %q", in, got, want)
		}
	}
}
