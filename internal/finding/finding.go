// Package finding says what is wrong with a system and what to do about it. It
// judges facts that others have collected and is pure: no network, no files, no
// clock. A finding holds what was sent and what came back in words and numbers
// of the protocol, and never patient data.
package finding

import (
	"fmt"
	"net/netip"
	"strings"
)

// Severity says how bad a finding is.
type Severity uint8

// The severities, the mildest first.
const (
	Info     Severity = iota // worth knowing, nothing wrong
	Low                      // hygiene
	Medium                   // weak protection
	High                     // needs a position in the network or a known password
	Critical                 // patient data can be read or changed now without sign-in
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String is the severity in a word.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity %d", uint8(s))
}

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(b []byte) error {
	for i, name := range severityNames {
		if strings.EqualFold(name, string(b)) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("finding: %q is not a severity; choose from %s", b, strings.Join(severityNames[:], ", "))
}

// Gain is what an attacker gets from a weakness.
type Gain string

// The gains, the worst first.
const (
	ReadPatients   Gain = "read-patient-data"
	ChangePatients Gain = "change-patient-data"
	RunCode        Gain = "run-code"
	StopService    Gain = "stop-service"
	Eavesdrop      Gain = "eavesdrop"
	StepStone      Gain = "step-stone" // a way further into the network
	Knowledge      Gain = "knowledge"  // what stands there and how old it is
)

// Place is where a finding was made. Port 0 means the host as a whole. Asset
// is the inventory's name of the system, empty when it is not known yet.
type Place struct {
	Asset   string     `json:"asset,omitempty"`
	Address netip.Addr `json:"address,omitzero"`
	Port    uint16     `json:"port,omitempty"`
}

// String is the place as address and port, or the asset.
func (p Place) String() string {
	switch {
	case !p.Address.IsValid():
		return p.Asset
	case p.Port == 0:
		return p.Address.String()
	}
	return netip.AddrPortFrom(p.Address, p.Port).String()
}

// Evidence is one exchange that shows the weakness: what was sent and what came
// back, in words of the protocol, without patient data.
type Evidence struct {
	Sent     string `json:"sent"`
	Received string `json:"received"`
}

// Effort is how long a fix takes an administrator who knows the system.
type Effort string

// The efforts.
const (
	Minutes Effort = "minutes"
	Hours   Effort = "hours"
	Days    Effort = "days"
	Project Effort = "project"
)

// Change is an exact change: lines of a configuration, a rule, a command.
type Change struct {
	// Where says which product and file, such as "Orthanc, orthanc.json".
	Where string `json:"where"`
	Text  string `json:"text"`
}

// Fix is what to do. Do begins with a verb.
type Fix struct {
	Do      string   `json:"do"`
	Effort  Effort   `json:"effort"`
	Changes []Change `json:"changes,omitempty"`
}

// Issue is one weakness at one place.
type Issue struct {
	// Check is the id of the check, such as "DIC-002", or "ADV-002".
	Check    string   `json:"check"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	// Possible: the protocol cannot prove it; Text says why.
	Possible bool       `json:"possible,omitempty"`
	Gains    []Gain     `json:"gains,omitempty"`
	Place    Place      `json:"place"`
	Text     string     `json:"text,omitempty"` // what it means, in a sentence or two
	Evidence []Evidence `json:"evidence,omitempty"`
	Fix      Fix        `json:"fix"`
	// Advisories are the ids and CVEs it rests on.
	Advisories []string `json:"advisories,omitempty"`
}

// Key is the same for the same weakness at the same place, however often it is
// seen. Issues whose advisories differ have different keys.
func (i *Issue) Key() string {
	key := i.Check + " " + i.Place.String()
	if len(i.Advisories) > 0 {
		key += " " + i.Advisories[0]
	}
	return key
}

// Product is what a system is believed to be. Empty fields are not known.
type Product struct {
	Vendor  string `json:"vendor,omitempty"`
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	// Confidence is from 0 (a guess) to 1 (it said so itself, in a field made for it).
	Confidence float64 `json:"confidence"`
	// Source says what it rests on, such as "ImplementationVersionName" or "register".
	Source string `json:"source,omitempty"`
}
