package posture

import (
	"context"
	"fmt"
	"time"

	"collimator/internal/advisory"
	"collimator/internal/finding"
	"collimator/internal/inventory"
	"collimator/internal/phrase"
	"collimator/internal/report"
)

// numbers are what the sentence and the answers to the warning are made of.
type numbers struct {
	systems, open             int // known systems; those with an issue of severity high or worse
	affected, possibly, asked int // unsettled answers; systems with open questions
	gated, noTLS, outside     int
	reachable, archive        int
}

// conclude fills in the sentence, the facts and the answers to the warning.
func (p *Posture) conclude(ctx context.Context, r *report.Report, answers []inventory.Checked) error {
	n := count(r, answers)
	r.Sentence = n.sentence()

	scanned, err := p.Inventory.LastRun(ctx, inventory.Scan)
	if err != nil {
		return err
	}

	checked, err := p.Inventory.LastRun(ctx, inventory.Advisory)
	if err != nil {
		return err
	}

	r.Facts = append(r.Facts,
		fmt.Sprintf("%s known. Last scan into the inventory: %s. Last check against the advisories: %s.",
			systems(n.systems), when(scanned), when(checked)))
	if scanned.IsZero() {
		r.Facts = append(r.Facts, "Without a scan nothing is known about what strangers can use: collimator scan RANGE --record.")
	}

	r.Advice = n.advice(scanned)
	return nil
}

func count(r *report.Report, answers []inventory.Checked) (n numbers) {
	bad, reachable := map[string]bool{}, map[string]bool{}
	noTLS, outside := map[string]bool{}, map[string]bool{}
	self := map[string]bool{}

	for _, c := range answers {
		a := c.Asset
		if len(a.Sources) == 1 && a.Sources[0].Source == inventory.Self {
			self[a.ID] = true
			continue
		}
		if a.Refused {
			continue
		}

		n.systems++
		switch c.Unsettled {
		case advisory.Affected:
			n.affected++
		case advisory.Possibly:
			n.possibly++
		}

		if len(c.Questions) > 0 {
			n.asked++
		}
		if a.Warning.Gate != nil && a.Warning.Gate.Answer {
			n.gated++
		}
	}

	for _, i := range r.Issues {
		if self[i.Place.Asset] {
			n.archive++
			continue
		}

		if i.Severity >= finding.High {
			bad[i.Place.Asset] = true
		}
		if report.OpenToStrangers(i) {
			reachable[i.Place.Asset] = true
		}

		switch i.Check {
		case "DIC-002", "TLS-001", "TLS-011":
			noTLS[i.Place.Asset] = true
		case "DIC-004", "DIC-005":
			outside[i.Place.Asset] = true
		}
	}

	n.open, n.reachable = len(bad), len(reachable)
	n.noTLS, n.outside = len(noTLS), len(outside)
	return n
}

// sentence says with numbers how things stand.
func (n numbers) sentence() string {
	if n.systems == 0 {
		return "0 systems are known: nothing can be said yet."
	}
	return fmt.Sprintf("%d of %s reachable without authentication, %d affected by an advisory, %d need work soon.",
		n.reachable, systems(n.systems), n.affected, n.open)
}

func systems(n int) string {
	return phrase.Count(n, "system is", "systems are")
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02 15:04 MST")
}

// advice answers what the warning of 2021 asks of a provider.
func (n numbers) advice(scanned time.Time) []report.Advice {
	look := fmt.Sprintf("last scan: %s; %s reachable without authentication", when(scanned), systems(n.reachable))
	if scanned.IsZero() {
		look = "not done: collimator scan RANGE --record"
	}

	own := "nothing is open here"
	if n.archive > 0 {
		own = phrase.Count(n.archive, "issue", "issues") + " of this archive itself " +
			phrase.Of(n.archive, "is", "are") + " open (ARC)"
	}

	return []report.Advice{
		{
			Asks: "Look through the inventory for affected systems. Are they patched, or protected from public access?",
			Stands: fmt.Sprintf("%s known; %d affected and %d possibly, neither patched nor accepted; "+
				"%d have questions that nobody has answered",
				systems(n.systems), n.affected, n.possibly, n.asked),
		},
		{
			Asks:   "Find what is exposed: default passwords, missing authentication.",
			Stands: look,
		},
		{
			Asks: "Map devices and their communication; segment the network.",
			Stands: fmt.Sprintf("%s outside of the imaging zones or on a public address; who talks to whom is not part of this report",
				systems(n.outside)),
		},
		{
			Asks:   "Validate connections, encrypt, let only authorised users in; protect what cannot be patched.",
			Stands: fmt.Sprintf("%s without encryption for DICOM; %d behind a gate", systems(n.noTLS), n.gated),
		},
		{
			Asks:   "Use an archive that resists tampering, forged images and malware, with audit and monitoring.",
			Stands: own,
		},
		{
			Asks:   "Review the attack surface continuously, to industry standards.",
			Stands: "see what changed, and the items of standards below; scans can be scheduled",
		},
	}
}
