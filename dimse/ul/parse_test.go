package ul

import (
	"encoding/binary"
	"errors"
	"testing"
)

// kindOf is the kind of the ParseError in err; 0 where it is none.
func kindOf(err error) ParseKind {
	if parse, ok := errors.AsType[*ParseError](err); ok {
		return parse.Kind
	}
	return 0
}

func TestParseErrorsAreToldApartByTheirKind(t *testing.T) {
	t.Parallel()
	request := func(change func(*AssociateRQ)) []byte {
		rq := fullRQ()
		change(rq)
		b, err := rq.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	twice := func(rq *AssociateRQ) { rq.Contexts = append(rq.Contexts, rq.Contexts[0]) }

	for name, c := range map[string]struct {
		pdu  []byte
		want ParseKind
	}{
		"header of 3 bytes":    {[]byte{1, 0, 0}, Truncated},
		"TLS handshake":        {[]byte{0x16, 3, 1, 0, 0, 0}, UnknownType},
		"abort of 5 bytes":     {[]byte{7, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0}, InvalidLength},
		"4 GiB of data":        {[]byte{4, 0, 0xFF, 0xFF, 0xFF, 0xFF}, BeyondLimits},
		"longer than it is":    {[]byte{4, 0, 0, 0, 0, 9}, InvalidLength},
		"no PDV":               {[]byte{4, 0, 0, 0, 0, 0}, Missing},
		"PDV of 3 bytes":       {[]byte{4, 0, 0, 0, 0, 3, 0, 0, 0}, Truncated},
		"PDV past the end":     {[]byte{4, 0, 0, 0, 0, 6, 0, 0, 0, 9, 1, 0}, InvalidLength},
		"PDV in context 2":     {[]byte{4, 0, 0, 0, 0, 6, 0, 0, 0, 2, 2, 0}, InvalidValue},
		"context twice":        {request(twice), Repeated},
		"no context":           {request(func(rq *AssociateRQ) { rq.Contexts = nil }), Missing},
		"65 transfer syntaxes": {request(func(rq *AssociateRQ) { rq.Contexts[0].TransferSyntaxes = make1000("1.2", 65) }), BeyondLimits},
		"identity of type 6":   {request(func(rq *AssociateRQ) { rq.User.Identity.Kind = 6 }), InvalidValue},
	} {
		_, err := Decode(c.pdu, Limits{})
		if got := kindOf(err); got != c.want {
			t.Errorf("%s: %v, want %v (%v)", name, got, c.want, err)
		}
	}
}

func TestEveryParseErrorHasAKindAndAClause(t *testing.T) {
	t.Parallel()
	for _, p := range allPDUs() {
		whole, err := p.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := HeaderLength; n < len(whole); n++ {
			for _, b := range []byte{0, 1, 2, 0x7F, 0xFF} {
				cut := append([]byte{}, whole...)
				cut[n] = b
				binary.BigEndian.PutUint32(cut[2:], uint32(len(cut)-HeaderLength))

				_, err := Decode(cut, Limits{})
				parse, ok := errors.AsType[*ParseError](err)
				if ok && (parse.Kind == 0 || parse.Clause == "" || parse.Reason == "") {
					t.Fatalf("%s, byte %d: %#v", p.Type(), n, parse)
				}
			}
		}
	}
}
