package audit

import (
	"fmt"
	"time"

	"collimator/internal/syslog"
)

// Origin says who sends syslog messages.
type Origin struct {
	Host    string // name of the machine
	App     string // name of the program
	Process string // its process id
	Source  string // audit source: the AE title
}

// priority is facility 10 (security) and severity 5 (notice), as audit messages
// are sent (RFC 5424 6.2.1).
const priority = 10*8 + 5

// Syslog is a record as a syslog message as it goes onto a connection (see
// package syslog). The message id says that the text is that of PS3.15 A.5.1.
func Syslog(r Record, o Origin) ([]byte, error) {
	text, err := NewMessage(r, o.Source).XML()
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}

	head := syslog.Header{
		Priority: priority, Time: r.Time, Host: o.Host, App: o.App, Process: o.Process, Message: "DICOM+RFC3881",
	}
	return syslog.Frame(head, string(text)), nil
}

// settled is how long a connection must live after a message before the
// message counts as delivered: the protocol has no acknowledgement.
const settled = 5 * time.Second
