package messages

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"collimator/internal/hl7"
	"collimator/internal/policy"
)

// sender is who sends, as the connection tells.
type sender struct {
	address netip.Addr
	device  string // by its certificate; empty without TLS
}

// may is what is wrong with a sender for every rule; empty where one asks for such a one.
func (b *Block) may(s sender) string {
	for _, r := range b.Rules {
		if r.sender(s) {
			return ""
		}
	}
	return "no rule lets this sender send anything"
}

// judge finds the rule that grants a message; where none does, lacks names the rule that
// came nearest, and what it lacked. No value of the message stands in it.
func (b *Block) judge(s sender, h *hl7.Header, size int, now time.Time) (rule, lacks string) {
	lacks = b.may(s)
	for _, r := range b.Rules {
		switch {
		case !r.sender(s):
		case !r.grants(h):
			if !strings.HasPrefix(lacks, "rule") {
				lacks = fmt.Sprintf("rule %s grants other types of messages than %s", r.Name, h.Type())
			}
		case size > r.most():
			lacks = fmt.Sprintf("rule %s grants messages of up to %d KiB", r.Name, r.most()>>10)
		case !r.open(now):
			lacks = fmt.Sprintf("rule %s grants this at %s", r.Name, r.Hours)
		default:
			return r.Name, ""
		}
	}
	return "", lacks
}

func (r *Rule) sender(s sender) bool {
	if len(r.Who) > 0 && !slices.Contains(r.Who, s.device) {
		return false
	}
	return len(r.From) == 0 || slices.ContainsFunc(r.From, func(text string) bool {
		p, err := network(text)
		return err == nil && p.Contains(s.address)
	})
}

func (r *Rule) grants(h *hl7.Header) bool {
	return slices.Contains(r.Types, h.Code) || slices.Contains(r.Types, h.Code+"^"+h.Trigger)
}

// open reports whether a rule counts at this time. The hours were checked.
func (r *Rule) open(now time.Time) bool {
	hours, err := policy.ParseHours(r.Hours)
	return err == nil && hours.Contain(now)
}

// answering is what a sender expects to be answered at once (HL7 v2 2.9.2, 2.9.3).
type answering int

const (
	original answering = iota // AA, AE, AR
	enhanced                  // CA, CE, CR
	silent                    // nothing
	unclear                   // it depends
)

// expects reads MSH-15 and MSH-16. Where an answer comes only in case of errors, or of
// success, nobody could tell whether it is still to come.
func expects(h *hl7.Header) answering {
	switch {
	case h.AcceptAck == "AL":
		return enhanced
	case h.AcceptAck == "NE" && (h.ApplicationAck == "NE" || h.ApplicationAck == ""):
		return silent
	case h.AcceptAck == "" && h.ApplicationAck == "NE":
		return silent
	case slices.Contains([]string{"", "NE"}, h.AcceptAck) && slices.Contains([]string{"", "AL"}, h.ApplicationAck):
		return original
	}
	return unclear
}

// fits reports an answer of the kind that is expected.
func (a answering) fits(code string) bool {
	switch a {
	case original:
		return slices.Contains([]string{hl7.Accepted, hl7.Error, hl7.Rejected}, code)
	case enhanced:
		return slices.Contains([]string{hl7.CommitAccepted, hl7.CommitError, hl7.CommitRejected}, code)
	}
	return false
}

// rejected and failed are the codes by which the gate itself answers.
func (a answering) rejected() string {
	if a == enhanced {
		return hl7.CommitRejected
	}
	return hl7.Rejected
}

func (a answering) failed() string {
	if a == enhanced {
		return hl7.CommitError
	}
	return hl7.Error
}
