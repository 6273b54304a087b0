package maintenance

import (
	"strings"
	"testing"
)

func TestACodeComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"gate.example:8443", "[2001:db8::1]:443", "10.0.0.1:8443"} {
		c := Code{address, strings.Repeat("ab", 32), newSecret()}
		got, err := ParseCode(" " + c.String() + "\n")
		if err != nil || got != c || len(c.String()) != len(address)+71 {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	good := Code{"gate.example:8443", strings.Repeat("ab", 32), newSecret()}.String()
	for _, s := range []string{good, good + "A", good[:len(good)-1], "gate.example/" + good[18:], ":8443/" + good[18:],
		"user@gate.example:8443/" + good[18:], "gate.example:0/" + good[18:], "", "/", strings.Repeat("x", 500)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			return
		}
		if again, err := ParseCode(c.String()); err != nil || again != c {
			t.Errorf("%q: %v, %v", s, again, err)
		}
		if strings.ContainsAny(c.Address, "@/?#% \t") {
			t.Errorf("%q has the address %q", s, c.Address)
		}
	})
}
