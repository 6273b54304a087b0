// Package fault names the outcomes that cross to a user or a peer. A service
// says what kind of thing went wrong; each protocol maps the kinds to its wire
// codes in one file of its own. The package knows no protocol and no text of
// a peer: what stands in an Error's Text may be shown to anyone.
//
// The kind of an error is asked in one way: fault.Of(err) == fault.NotFound. Of
// gives the outermost kind, the judgement of whoever looked last. errors.Is
// would find a kind that an outer one has overruled: a stored row that cannot be
// read because a part of it is missing is Internal, and whoever took it for
// NotFound would go on as if nothing were stored. Of also knows the two errors
// of a context, and it says Internal where nobody named a kind.
package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind is a class of outcome. It is an error, so that it can be wrapped alone;
// ask for it with Of.
type Kind uint8

// The kinds. None is the kind of a nil error; an error that names no kind is
// Internal.
const (
	None        Kind = iota
	Internal         // our own invariant broke, or nobody said otherwise
	NotFound         // what was asked for is not there, or not there for this caller
	Denied           // the caller may not
	Conflict         // it contradicts what is already there
	Invalid          // the request or the data break a rule; sending it again does not help
	TooLarge         // above a limit
	Busy             // a limit on load was hit; the same request may work later
	Unavailable      // a resource is missing: disk full, read-only, upstream down
	Unsupported      // well formed, and not something this program does
	Canceled         // the caller gave up
)

var names = [...]string{"none", "internal", "not found", "denied", "conflict", "invalid", "too large", "busy", "unavailable", "unsupported", "canceled"}

// String is the kind in words.
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is the kind in words, as String is.
func (k Kind) Error() string { return k.String() }

// Temporary reports a kind where the same request may work later.
func (k Kind) Temporary() bool { return k == Busy || k == Unavailable }

// Error is an outcome with a text that may be shown to users and peers. Text
// holds no patient data and no detail of our inside; Err is for our log.
type Error struct {
	Kind Kind
	Text string
	Code string // what programs tell this outcome by; empty: they know its kind
	Err  error  // cause; may be nil
}

// Error joins the text and the cause.
func (e *Error) Error() string {
	switch {
	case e.Err == nil && e.Text == "":
		return e.Kind.String()
	case e.Err == nil:
		return e.Text
	case e.Text == "":
		return e.Err.Error()
	}
	return e.Text + ": " + e.Err.Error()
}

// Unwrap gives the kind and the cause, so that errors.Is finds the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// New makes an outcome of a kind. The text is shown to users and peers: it
// must not hold patient data. It starts with the package's name.
func New(k Kind, text string) error { return &Error{Kind: k, Text: text} }

// NewCode is New for an outcome that programs tell apart from others of its kind,
// such as a page that says it in another language. A code is lower-case words
// with hyphens, stands in docs/api.md, and never changes.
func NewCode(k Kind, code, text string) error { return &Error{Kind: k, Code: code, Text: text} }

// Newf is New with a format. The arguments are shown to users and peers: tags,
// counts and limits, never values.
func Newf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Text: fmt.Sprintf(format, args...)}
}

// Wrap gives an error a kind and a text; nil stays nil. The text says what was
// attempted.
func Wrap(k Kind, err error, text string) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: k, Text: text, Err: err}
}

// Of is the kind of an error: the outermost one named in its chain, Canceled
// and Unavailable for the two context errors, otherwise Internal. Of(nil) is
// None.
func Of(err error) Kind {
	if err == nil {
		return None
	}

	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if k, ok := errors.AsType[Kind](err); ok {
		return k
	}

	switch {
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Unavailable
	}
	return Internal
}

// Text is what may be shown of an error: the text of the outermost Error in
// its chain, or the words of its kind.
func Text(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Text != "" {
		return e.Text
	}
	return Of(err).String()
}

// Code is what programs tell an outcome by: the code of the outermost Error in the
// chain, and where that has none, its kind, in words with hyphens.
func Code(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != "" {
		return e.Code
	}
	return strings.ReplaceAll(Of(err).String(), " ", "-")
}

// Sentence is what a peer or a person is shown of an error: its text without the
// name of the package, as a sentence.
func Sentence(err error) string {
	text := Text(err)
	if pkg, after, ok := strings.Cut(text, ": "); ok && !strings.Contains(pkg, " ") && after != "" {
		text = after
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
