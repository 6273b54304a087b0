// Package alarm sends short messages to people who have to look at something:
// by mail, to a webhook, to a syslog server, always over TLS. It decides
// nothing, keeps nothing and repeats nothing; whoever calls it sees to it that
// no data of patients is in a message.
package alarm

import (
	"context"
	"strings"
	"time"
	"unicode"

	"collimator/internal/fault"
	"collimator/internal/outward"
)

// Message is what is sent.
type Message struct {
	// ID is the same where a message is sent again.
	ID string `json:"id"`
	// Kind is a word for programs: test, or events.
	Kind string `json:"kind"`
	// Severity is that of the worst event: critical, high, medium, low or info.
	Severity string    `json:"severity"`
	Title    string    `json:"title"`
	At       time.Time `json:"at"`
	// From names the installation.
	From string `json:"from"`
	// Events are one line each.
	Events []Event `json:"events"`
	// Left is how many events are not listed.
	Left int `json:"left,omitempty"`
}

// Event is one thing that happened.
type Event struct {
	Kind     string    `json:"kind"` // issue, emergency-access, quarantine, state, scan-failed, test
	Severity string    `json:"severity"`
	At       time.Time `json:"at"`
	Text     string    `json:"text"`
}

// Channel takes messages. Safe for concurrent use.
type Channel interface {
	// Name says which channel it is, without secrets.
	Name() string
	// Send sends once; an error says what to look at. It ends with ctx.
	Send(ctx context.Context, m Message) error
}

// PartialError says that a channel took a message, though not for everybody.
type PartialError struct {
	Channel string
	Left    []string // who did not get it, each with what the server said
}

// Error names them.
func (e *PartialError) Error() string {
	return "alarm: " + e.Channel + " does not reach " + strings.Join(e.Left, ", ")
}

// Text is the message for people, in lines.
func (m *Message) Text() string {
	var b strings.Builder
	b.WriteString(line(m.Title) + "\n\n")

	for _, e := range m.Events {
		b.WriteString(e.At.UTC().Format("2006-01-02 15:04:05Z") + "  " + e.Severity + "  " + line(e.Text) + "\n")
	}
	if m.Left > 0 {
		b.WriteString("and more that are not listed here\n")
	}

	b.WriteString("\nSent by " + line(m.From) + ". What happened stands in the inventory and in the audit trail:\n" +
		"collimator inventory issues, collimator audit tail\n")
	return b.String()
}

// lineMost bounds one line of a message, in bytes.
const lineMost = 500

// line makes one printable line.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))

	if len(s) > lineMost {
		s = strings.ToValidUTF8(s[:lineMost], "") + "..."
	}
	return s
}

// unreached is a service that did not take a connection, in words for who set it up
// under a setting.
func unreached(who, setting string, err error) error {
	reason := outward.Reason(err)
	if reason == "" {
		reason = "it does not answer as it should"
	}
	return fault.Newf(fault.Unavailable, "alarm: %s is not reached: %s (%s)", who, reason, setting)
}
