// Package syslog writes messages of RFC 5424 as they follow one another on a
// connection over TLS (RFC 5425 4.3). It opens no connections and knows nothing
// of what the messages are about.
package syslog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Header is what stands before the text.
type Header struct {
	// Priority is facility times 8 plus severity (RFC 5424 6.2.1).
	Priority int
	Time     time.Time
	Host     string // name of the machine
	App      string // name of the program
	Process  string // its process id
	Message  string // what kind of message it is
}

// Frame is a message (RFC 5424 6) in UTF-8 with the octet count in front of it.
func Frame(h Header, text string) []byte {
	msg := fmt.Sprintf("<%d>1 %s %s %s %s %s - \xEF\xBB\xBF%s",
		h.Priority, h.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		field(h.Host, 255), field(h.App, 48), field(h.Process, 128), field(h.Message, 32), strings.ToValidUTF8(text, "?"))

	return append([]byte(strconv.Itoa(len(msg))+" "), msg...)
}

// field makes a field of the header: printable ASCII without spaces, and "-"
// for nothing.
func field(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)

	if s == "" {
		return "-"
	}

	return s[:min(len(s), most)]
}
