package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"collimator/dimse/ul"
)

// Judge says what is wrong with a host, from what a scan saw of it: the worst
// first, then by check and port. It is pure: the same facts give the same issues.
func Judge(f *Facts) []Issue {
	j := &judge{facts: f}
	j.discovery()
	for _, s := range f.Services {
		if s.DICOM != nil {
			j.association(s, s.DICOM)
			j.operations(s, s.DICOM)
		}
		if s.TLS != nil {
			j.tls(s, s.TLS)
		}
		if s.Web != nil {
			j.web(s, s.Web)
		}
		if s.Host != nil {
			j.host(s, s.Host)
		}
		if s.HL7 != nil {
			j.hl7(s, s.HL7)
		}
	}
	j.transport()
	Sort(j.issues)
	return j.issues
}

// Sort orders issues: the worst severity first, then what an attacker gets,
// then check and place.
func Sort(issues []Issue) {
	slices.SortStableFunc(issues, func(a, b Issue) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(worst(a.Gains), worst(b.Gains)),
			strings.Compare(a.Check, b.Check),
			a.Place.Address.Compare(b.Place.Address),
			cmp.Compare(a.Place.Port, b.Place.Port),
		)
	})
}

// Gains lists the gains, the worst first.
func Gains() []Gain {
	return []Gain{ReadPatients, ChangePatients, RunCode, StopService, Eavesdrop, StepStone, Knowledge}
}

// Title is the gain in words for a heading: what an attacker can do.
func (g Gain) Title() string {
	switch g {
	case ReadPatients:
		return "Read data of patients"
	case ChangePatients:
		return "Change data of patients"
	case RunCode:
		return "Run programs"
	case StopService:
		return "Stop a service"
	case Eavesdrop:
		return "Listen in"
	case StepStone:
		return "Get further into the network"
	case Knowledge:
		return "Learn what stands there"
	}
	return string(g)
}

func worst(gains []Gain) int {
	order := Gains()
	best := len(order)
	for _, g := range gains {
		if i := slices.Index(order, g); i >= 0 && i < best {
			best = i
		}
	}
	return best
}

// judge collects the issues of one host.
type judge struct {
	facts  *Facts
	issues []Issue
}

// add notes an issue of a check at a port; 0 is the host. The issue can be
// changed until the next one is added.
func (j *judge) add(id string, port uint16, text string, evidence ...Evidence) *Issue {
	c, ok := CheckByID(id)
	if !ok {
		panic("finding: no check " + id)
	}
	j.issues = append(j.issues, Issue{
		Check: id, Title: c.Title, Severity: c.Severity, Gains: c.Gains, Text: text, Evidence: evidence,
		Place: Place{Asset: j.facts.Asset, Address: j.facts.Address, Port: port},
		Fix:   fixOf(id, j.productAt(port)),
	})
	return &j.issues[len(j.issues)-1]
}

// productAt is the name of the product at a port, or of the host, in lower case.
func (j *judge) productAt(port uint16) string {
	best := &Product{}
	for _, s := range j.facts.Services {
		if s.Product != nil && (s.Port == port || best.Name == "" && port == 0) {
			best = s.Product
		}
	}
	// A web interface of the same host may know better than the toolkit of its AE.
	for _, s := range j.facts.Services {
		if s.Product != nil && s.Web != nil && (best.Name == "" || best.Name == "DCMTK") {
			best = s.Product
		}
	}
	return strings.ToLower(best.Name)
}

func exchange(sent, received string) Evidence { return Evidence{Sent: sent, Received: received} }

// words says how a request to associate was answered.
func (o Outcome) words() string {
	switch o.Answer {
	case AnswerAccept:
		return "A-ASSOCIATE-AC"
	case AnswerReject:
		rj := ul.AssociateRJ{Result: ul.RejectResult(o.Result), Source: ul.RejectSource(o.Source), Reason: ul.RejectReason(o.Reason)}
		return fmt.Sprintf("A-ASSOCIATE-RJ %d/%d/%d (%s)", o.Result, o.Source, o.Reason, rj.ReasonText())
	case AnswerAbort:
		return "A-ABORT"
	case AnswerClosed:
		return "the connection was closed"
	case AnswerTimeout:
		return "nothing in time"
	case "":
		return "not asked"
	}
	return "no PDU"
}

// words says how an operation ended.
func (o *Operation) words() string {
	switch {
	case o == nil:
		return "not asked"
	case o.Answer == AnswerStatus:
		return fmt.Sprintf("status %04XH", o.Status)
	case o.Answer == AnswerAbort:
		return "A-ABORT"
	case o.Answer == AnswerClosed:
		return "the connection was closed"
	}
	return "nothing in time"
}

func (p *Page) words() string {
	s := fmt.Sprintf("HTTP %d", p.Status)
	if p.Kind != "" {
		s += ", " + p.Kind
	}
	return fmt.Sprintf("%s, %d bytes", s, p.Length)
}

func (p *Page) evidence() Evidence { return exchange(p.Sent, p.words()) }

// imaging reports that the host has a service of imaging.
func (j *judge) imaging() bool {
	for _, s := range j.facts.Services {
		if s.DICOM != nil || s.HL7 != nil || s.Web != nil && s.Web.Imaging {
			return true
		}
	}
	return false
}
