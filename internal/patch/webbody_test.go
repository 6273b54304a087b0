package patch

import (
	"strings"
	"testing"
)

func TestJSONIsAsDeepAsALenientParserReadsIt(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 65)
	for text, want := range map[string]bool{
		deep: true, " \ufeff\n" + deep: true, strings.Repeat(`{"a":`, 65): true, strings.Repeat("[", 64): false, strings.Repeat("[{},", 64): true,
		strings.Repeat(`["]",`, 65): true, strings.Repeat(`["\"]",`, 65): true, strings.Repeat(`['"]',`, 65): true,
		"/* \" */" + deep: true, "// ' \n" + deep: true, "[/*]*//*]*/" + deep[1:]: true, "[//]\n" + deep[1:]: true, "/**/" + deep: true,
		`["` + deep + `"]`: false, "[/*" + deep + "*/]": false, "x" + deep: false, `"` + deep: false, "DICM" + deep: false, strings.Repeat("[],", 100): false, "": false,
	} {
		for _, size := range []int{1, 2, 3, 1000} {
			set, err := Of(nil)
			if err != nil {
				t.Fatal(err)
			}
			look := set.WebBody(WebRequest{Method: "POST"})
			got := false
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				got = look([]byte(rest[:n])) != nil || got
				rest = rest[n:]
			}
			if got != want {
				t.Errorf("%.20q in pieces of %d: refused is %v", text, size, got)
			}
		}
	}
}

func TestAPartOfABodyBeginsBehindAnEmptyLineWhereverPiecesMeet(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"--zz\r\nA: b\r\n\r\nPK\x03\x04": true, "--zz\nA: b\n\nPK\x05\x06": true, "--zz\r\nA: b\r\n\r\nxPK\x03\x04": false, "PK\x03\x04": false,
	} {
		for size := 1; size <= len(text); size++ {
			set, _ := Of(map[string]bool{"json-nesting": false})
			look := set.WebBody(WebRequest{Method: "POST", ContentType: "multipart/form-data"})
			got := false
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				got = look([]byte(rest[:n])) != nil || got
				rest = rest[n:]
			}
			if got != want {
				t.Errorf("%q in pieces of %d: refused is %v", text, size, got)
			}
		}
	}
	set, _ := Of(map[string]bool{"json-nesting": false})
	if set.WebBody(WebRequest{Method: "POST", ContentType: "text/plain"}) != nil {
		t.Error("a body without parts is looked at")
	}
}
