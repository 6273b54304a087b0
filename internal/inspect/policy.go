package inspect

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is what follows of a finding.
type Verdict uint8

// The verdicts, from the mildest.
const (
	Accept        Verdict = iota // keep it and write it down
	ClearPreamble                // keep it; the preamble does not leave the archive again
	Hold                         // into quarantine
	Refuse                       // do not take it at all
)

var verdictNames = [...]string{"accept", "clear-preamble", "quarantine", "refuse"}

// String is the word that stands in the settings.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// ParseVerdict reads a word of the settings.
func ParseVerdict(s string) (Verdict, error) {
	i := slices.Index(verdictNames[:], s)
	if i < 0 {
		return 0, fmt.Errorf("inspect: %q is not a verdict; choose from %s", s, strings.Join(verdictNames[:], ", "))
	}
	return Verdict(i), nil
}

// Policy says what follows of findings. The zero Policy is the default: what
// carries a program or does something is held back, an odd preamble is cleared,
// and what is merely unusual is accepted.
type Policy struct {
	// Programs in elements; ActiveDocuments; SealedDocuments that cannot be
	// looked into; Preambles that are something else; Containers: ZIP and PDF in
	// elements where they do not belong. nil takes the default.
	Programs, ActiveDocuments, SealedDocuments, Preambles, Containers *Verdict
}

func or(v *Verdict, otherwise Verdict) Verdict {
	if v == nil {
		return otherwise
	}
	return *v
}

// Judge is the sternest verdict on the findings.
func (p Policy) Judge(found []Finding) Verdict {
	worst := Accept
	for _, f := range found {
		worst = max(worst, p.one(f))
	}
	return worst
}

// Rule is the setting by which a finding is judged, as it stands in the
// configuration below "inspect".
func Rule(f Finding) string {
	if f.Place == Preamble {
		return "preambles"
	}

	switch f.Kind {
	case PE, ELF, MachO, Script, HTML:
		return "programs"
	case ActivePDF, ActiveXML:
		return "active_documents"
	case SealedPDF, SealedXML, Unreadable:
		return "sealed_documents"
	}
	return "containers"
}

func (p Policy) one(f Finding) Verdict {
	switch Rule(f) {
	case "preambles":
		return or(p.Preambles, ClearPreamble)
	case "programs":
		return or(p.Programs, Hold)
	case "active_documents":
		return or(p.ActiveDocuments, Hold)
	case "sealed_documents":
		return or(p.SealedDocuments, Accept)
	}
	return or(p.Containers, Accept)
}
