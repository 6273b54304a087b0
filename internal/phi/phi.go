// Package phi keeps patient data out of logs, errors and metrics. A Text holds
// a value that must not be printed; a Pseudonym stands in for one where two
// lines have to be correlated. The package decides nothing about access.
package phi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"log/slog"
	"strconv"
)

// Text is a string that prints only as its length under every fmt verb, in
// slog and in encoding/json. The content stands behind a pointer because fmt
// does not call methods on unexported fields and would print a plain string.
// The zero Text is empty. Safe for concurrent use.
type Text struct{ s *string }

// New hides s.
func New(s string) Text { return Text{&s} }

// Reveal returns the content. Each call is a place where patient data leave
// their wrapping and is looked at in review.
func (t Text) Reveal() string {
	if t.s == nil {
		return ""
	}
	return *t.s
}

func (t Text) describe() string {
	return "[" + strconv.Itoa(len(t.Reveal())) + " bytes withheld]"
}

// Format implements fmt.Formatter.
func (t Text) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.describe()) }

// LogValue implements slog.LogValuer.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.describe()) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.describe()), nil }

// Pseudonym is a keyed hash of value, 80 bits in base 32: the same value under
// the same key gives the same text, and without the key nothing is learnt by
// trying candidates. domain parts kinds of values ("patient", "study").
func Pseudonym(key []byte, domain, value string) string {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%d:%s%s", len(domain), domain, value)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:10])
}
