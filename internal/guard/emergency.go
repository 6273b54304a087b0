package guard

import (
	"context"
	"net/http"
	"unicode"
	"unicode/utf8"

	"collimator/internal/audit"
	"collimator/internal/fault"
)

// EmergencyHeader on a DICOMweb request of somebody who is signed in says with
// a reason that a patient is in danger (break the glass).
const EmergencyHeader = "Collimator-Emergency"

// Bounds of the reason, in characters.
const (
	emergencyLeast = 5
	emergencyMost  = 200
)

var errEmergency = fault.Newf(fault.Invalid,
	"guard: emergency access needs one reason of %d to %d printable characters, from a person who is signed in",
	emergencyLeast, emergencyMost)

// emergencyReason reads the header; empty where it was not sent. The reason may
// hold patient data: it goes into the audit record and nowhere else.
func emergencyReason(r *http.Request, c *Caller) (string, error) {
	values := r.Header.Values(EmergencyHeader)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || c.session == nil {
		return "", errEmergency
	}

	reason := values[0]
	if !utf8.ValidString(reason) { // browsers send the characters of Latin-1 as one byte each
		runes := make([]rune, 0, len(reason))
		for _, b := range []byte(reason) {
			runes = append(runes, rune(b))
		}
		reason = string(runes)
	}

	n := 0
	for _, c := range reason {
		if !unicode.IsPrint(c) {
			return "", errEmergency
		}
		n++
	}
	if n < emergencyLeast || n > emergencyMost {
		return "", errEmergency
	}
	return reason, nil
}

// alarm records emergency access for somebody to look at. What belongs to one
// study is many requests: the first ones in a minute are written, the rest counted.
func (g *Guard) alarm(ctx context.Context, c *Caller, study, reason string) {
	before, write := g.alarms.take(c.who.Name + "\x00" + c.routeName() + "\x00" + study + "\x00" + reason)
	if !write {
		return
	}

	r := c.Entry(audit.EmergencyAccess, audit.Execute, audit.Success, "emergency access: "+reason)
	r.Objects = append(r.Objects, audit.Object{Study: study})
	r.CountLike("requests", before)
	g.Record(ctx, r)
	g.Log.Warn("ALARM: emergency access; the audit trail has the reason",
		"person", c.who.Name, "address", c.peer.Address, "session", c.session.ID)
}
