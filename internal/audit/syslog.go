package audit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
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

// Syslog is a record as a syslog message (RFC 5424 6) with the octet count in
// front of it by which messages follow one another on a connection (RFC 5425
// 4.3). The message id says that the text is that of PS3.15 A.5.1.
func Syslog(r Record, o Origin) ([]byte, error) {
	text, err := NewMessage(r, o.Source).XML()
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	msg := fmt.Sprintf("<%d>1 %s %s %s %s %s - \xEF\xBB\xBF%s", priority, r.Time.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		headerField(o.Host, 255), headerField(o.App, 48), headerField(o.Process, 128), "DICOM+RFC3881", text)
	return append([]byte(strconv.Itoa(len(msg))+" "), msg...), nil
}

// headerField makes a field of the header: printable ASCII without spaces, and
// "-" for nothing.
func headerField(s string, most int) string {
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

// settled is how long a connection must live after a message before the
// message counts as delivered: the protocol has no acknowledgement.
const settled = 5 * time.Second
