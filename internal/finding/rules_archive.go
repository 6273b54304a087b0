package finding

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ArchiveFacts is what an archive of ours knows about its own posture: names of
// devices and of accounts, numbers and days; nothing of patients.
type ArchiveFacts struct {
	// Plaintext are devices that may come without TLS, with the end of each exception.
	Plaintext []Exception
	// NoCertificate are devices that may come with TLS and without a certificate.
	NoCertificate []Exception
	// Held counts what waits in quarantine, by the reason; Oldest is since when.
	Held   map[string]int
	Oldest time.Time
	// SingleFactor are people who can sign in with a password alone, or set up
	// the second factor with it when SecondFactor is required.
	SingleFactor []string
	SecondFactor bool
	// Witnessed: checkpoints of the ledger go to another place. Forwarded: the
	// trail goes to a repository. Alarmed: somebody is told.
	Witnessed, Forwarded, Alarmed bool
	// BackedUp: a backup was made within BackupDays; LastBackup is when, zero for
	// never. Recoverable: somebody has shown that the key is kept that opens the
	// keys in it.
	BackedUp, Recoverable bool
	LastBackup            time.Time
	// Public: the operator insisted on an address that the Internet may reach.
	Public bool
	// Drift is what registered devices were refused at routes of the gate of late.
	Drift []Drift
	// Parts do not do what they are for, or will not for long.
	Parts []Part
}

// Part is a part of the archive that somebody has to do something about.
type Part struct {
	Name, Text, Do string
	Failing        bool
	Since          time.Time
}

// Drift is something that a route does not let a registered device do.
type Drift struct {
	Device, Route, What, Reason string
	Last                        time.Time
}

// DriftDays is how many days a refusal counts as one of late.
const DriftDays = 7

// BackupDays is how old, in days, the last backup may be.
const BackupDays = 7

// Exception is a device that may come without TLS, or without a certificate, until a day.
type Exception struct {
	Device string
	Until  time.Time
}

// ArchiveChecks are the questions an archive asks about itself. Nothing is sent.
func ArchiveChecks() []Check {
	const g, sends, none = "archive", "nothing: it is asked of the archive's own registers", ""
	return []Check{
		{"ARC-001", g, "Devices may come in without TLS", High, Passive, none, gains(Eavesdrop, ChangePatients), sends, ""},
		{"ARC-002", g, "Images wait in quarantine", Medium, Passive, none, gains(ChangePatients), sends, "it may be an attack, or a device that counts its UIDs anew"},
		{"ARC-003", g, "People without a second factor", High, Passive, none, gains(ReadPatients), sends, "people of an identity provider bring their own"},
		{"ARC-004", g, "Nobody witnesses the ledger", Medium, Passive, none, gains(ChangePatients), sends, "a copy of checkpoints that was made by hand is not seen"},
		{"ARC-005", g, "The audit trail stays on this machine", Low, Passive, none, gains(ChangePatients), sends, "a forwarder of the log is not seen"},
		{"ARC-006", g, "Nobody is told when something happens", Low, Passive, none, gains(Knowledge), sends, "other monitoring is not seen"},
		{"ARC-007", g, "The archive may be reached from the Internet", High, Passive, none, gains(ReadPatients), sends, "a firewall before it is not seen"},
		{"ARC-008", g, "No backup was made lately", High, Passive, none, gains(StopService), sends, "a backup by other means is not seen"},
		{"ARC-009", g, "Nobody is known to keep the recovery key", Medium, Passive, none, gains(StopService), sends, "a key that is kept and was not confirmed is not seen"},
		{"ARC-010", g, "Parts of the archive need attention", Medium, Passive, none, gains(StopService), sends, "what the archive cannot see of itself"},
		{"ARC-011", g, "Devices may come in without a certificate", Medium, Passive, none, gains(ReadPatients, ChangePatients), sends, ""},
		{"ARC-012", g, "Registered devices were refused at a gate", Low, Passive, none, gains(Knowledge), sends, "contexts that are refused beside others are not seen"},
	}
}

// JudgeArchive gives the issues of an archive of ours at a place.
func JudgeArchive(f ArchiveFacts, place Place) []Issue {
	j := archiveJudge{place: place}
	if len(f.Plaintext) > 0 {
		i := j.add("ARC-001", "What these devices send and receive can be read and changed on its way.")
		for _, x := range f.Plaintext {
			i.Evidence = append(i.Evidence, exchange("register of devices", fmt.Sprintf("%s until %s", x.Device, lastDay(x.Until))))
		}
	}
	if n, words := held(f.Held); n > 0 {
		j.add("ARC-002", fmt.Sprintf("Somebody has to decide: keep what is stored, or release what came. The oldest waits since %s.", f.Oldest.UTC().Format(time.DateOnly)),
			exchange("quarantine", fmt.Sprintf("%d entries: %s", n, words)))
	}
	if n := len(f.SingleFactor); n > 0 {
		text := "Their password alone opens the archive."
		if f.SecondFactor {
			text = "Until they have signed in once, whoever knows their password can set up the second factor."
		}
		i := j.add("ARC-003", text, exchange("register of people", fmt.Sprintf("%d: %s", n, strings.Join(f.SingleFactor[:min(n, 20)], ", "))))
		if f.SecondFactor {
			i.Severity = Medium
		}
	}
	for _, x := range []struct {
		wrong     bool
		id, text  string
		setting   string
		condition string
	}{
		{!f.Witnessed, "ARC-004", "Who takes over this machine can rewrite ledger and signatures together, and nobody notices.", "ledger.witness", "empty"},
		{!f.Forwarded, "ARC-005", "Who takes over this machine can delete the record of it.", "audit.repository", "empty"},
		{!f.Alarmed, "ARC-006", "Emergency access, quarantine and new critical issues wait until somebody looks.", "alarms", "no channel"},
		{f.Public, "ARC-007", "A listener may have an address that everybody in the world can try.", "public", "set"},
	} {
		if x.wrong {
			j.add(x.id, x.text, exchange("setting "+x.setting, x.condition))
		}
	}
	if !f.BackedUp {
		last := "never"
		if !f.LastBackup.IsZero() {
			last = f.LastBackup.UTC().Format(time.DateOnly)
		}
		j.add("ARC-008", "What was stored since is lost with this machine.", exchange("last backup", last))
	}
	if !f.Recoverable {
		j.add("ARC-009", "Without the key a backup has no keys: every device needs a new certificate after a restore.", exchange("recovery key", "not confirmed"))
	}
	j.parts(f.Parts)
	if len(f.NoCertificate) > 0 {
		i := j.add("ARC-011", "Whoever takes the address of such a device may do what it may.")
		for _, x := range f.NoCertificate {
			i.Evidence = append(i.Evidence, exchange("register of devices", fmt.Sprintf("%s until %s", x.Device, lastDay(x.Until))))
		}
	}
	if len(f.Drift) > 0 {
		i := j.add("ARC-012", "A rule is missing, or the device does what it did not do before.")
		for _, x := range f.Drift {
			i.Evidence = append(i.Evidence, exchange(fmt.Sprintf("%s of %s at %s", x.What, x.Device, x.Route),
				fmt.Sprintf("refused, last on %s: %s", x.Last.UTC().Format(time.DateOnly), x.Reason)))
		}
	}
	return j.issues
}

// parts names what has a state that is not well. What has a check of its own is
// left to that.
func (j *archiveJudge) parts(parts []Part) {
	var evidence []Evidence
	failing := false
	for _, p := range parts {
		if p.Name == "backup" || p.Name == "recovery-key" {
			continue
		}
		failing = failing || p.Failing
		evidence = append(evidence, exchange("state of "+p.Name, fmt.Sprintf("%s, since %s; %s", p.Text, p.Since.UTC().Format(time.DateOnly), p.Do)))
	}
	if len(evidence) == 0 {
		return
	}

	i := j.add("ARC-010", "They stop, or have stopped, without anybody who uses the archive being told.", evidence...)
	if failing {
		i.Severity = High
	}
}

type archiveJudge struct {
	place  Place
	issues []Issue
}

func (j *archiveJudge) add(id, text string, evidence ...Evidence) *Issue {
	checks := ArchiveChecks()
	c := checks[slices.IndexFunc(checks, func(c Check) bool { return c.ID == id })]
	j.issues = append(j.issues, Issue{Check: id, Title: c.Title, Severity: c.Severity, Gains: c.Gains, Text: text, Evidence: evidence, Place: j.place, Fix: archiveFix(id)})
	return &j.issues[len(j.issues)-1]
}

func held(by map[string]int) (n int, words string) {
	var list []string
	for reason, k := range by {
		n += k
		list = append(list, fmt.Sprintf("%d %s", k, reason))
	}
	return n, joinSorted(list)
}

// lastDay is the day before the moment at which something ends.
func lastDay(end time.Time) string { return end.Add(-time.Nanosecond).Format(time.DateOnly) }

func archiveFix(id string) Fix {
	setting := func(text string) []Change { return []Change{{"Collimator, collimator.yaml", text}} }
	switch id {
	case "ARC-001":
		return Fix{"Give the device a certificate, or put a gate that speaks TLS before it, and end the exception.", Days, []Change{{"Collimator, command line", "collimator device set AET --only-tls"}}}
	case "ARC-002":
		return Fix{"Look at each entry and release or destroy it.", Hours, []Change{{"Collimator, command line", "collimator quarantine list\ncollimator quarantine show ID"}}}
	case "ARC-003":
		return Fix{"Have everybody sign in once and set up an authenticator app or a passkey; disable accounts that nobody uses.", Hours, setting("signin:\n  second_factor: required")}
	case "ARC-004":
		return Fix{"Name a file on another machine, or on storage that cannot be rewritten, to which checkpoints are appended.", Minutes, setting("ledger:\n  witness: /mnt/witness/checkpoints")}
	case "ARC-005":
		return Fix{"Send the trail to an audit record repository.", Hours, setting("audit:\n  repository: audit.example.org:6514")}
	case "ARC-006":
		return Fix{"Name somebody who is told, and try it with 'collimator alarm test'.", Minutes, setting("alarms:\n  mail:\n    server: mail.example.org:465\n    from: collimator@example.org\n    to: [security@example.org]")}
	case "ARC-008":
		return Fix{"Make a backup every night, on another machine or a disk that is taken away, and rehearse a restore.", Hours, []Change{{"Collimator, command line", "collimator backup /backup/pacs\ncollimator restore /backup/pacs --rehearse"}}}
	case "ARC-010":
		return Fix{"Look at each part and do what it says.", Hours, []Change{{"Collimator, command line", "collimator doctor"}}}
	case "ARC-009":
		return Fix{"Make a recovery key into a file that is kept elsewhere, or confirm the one that was shown.", Minutes, []Change{{"Collimator, command line", "collimator recovery-key --out FILE\ncollimator recovery-key --confirm"}}}
	case "ARC-011":
		return Fix{"Give the device a certificate, and end the exception.", Days, []Change{{"Collimator, command line", "collimator device renew AET --out DIR\ncollimator device set AET --no-certificate-until ''"}}}
	case "ARC-012":
		return Fix{"Ask what changed at the device: write a rule for it, or find out who uses its certificate.", Hours, []Change{{"Collimator, command line", "collimator audit search --route NAME --failed\ncollimator gate show NAME"}}}
	}
	return Fix{"Put the listener on a private address behind a VPN or a gateway, and take the sentence out.", Hours, setting("public: \"\"")}
}
