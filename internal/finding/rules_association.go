package finding

import (
	"fmt"
	"strings"
)

const (
	sentRandomCalled  = "A-ASSOCIATE-RQ, called AE title of 16 random letters"
	sentRandomCalling = "A-ASSOCIATE-RQ, calling AE title of random letters"
)

func (j *judge) association(s *Service, d *DICOM) {
	if d.RandomCalled.Accepted() {
		j.add("ASC-001", s.Port, "The AE title of the service need not be known.", exchange(sentRandomCalled, d.RandomCalled.words()))
	}
	if d.RandomCalling.Accepted() {
		j.add("ASC-002", s.Port, "Who calls is not checked, not even by name.", exchange(sentRandomCalling, d.RandomCalling.words()))
	}
	if d.CalledFrom == "guess" {
		j.add("ASC-003", s.Port, fmt.Sprintf("The title %s is in every list of guesses.", d.KnownCalled), exchange("A-ASSOCIATE-RQ to "+d.KnownCalled, d.Ordinary.words()))
	}
	j.enumeration(s, d)
	j.userIdentity(s, d)
	if d.AsDevice.Accepted() && !d.RandomCalling.Accepted() {
		j.add("ASC-007", s.Port, "The title of a registered device is accepted from the address of this scan.", exchange("A-ASSOCIATE-RQ as "+j.facts.KnownDevice, d.AsDevice.words()))
	}
	j.acceptance(s, d)
	if d.Echo.Allowed() && d.Stranger() {
		j.add("ASC-013", s.Port, "", exchange("C-ECHO-RQ", d.Echo.words()))
	}
}

// enumeration: only where the answers differ does guessing titles make sense
// for somebody outside (PS3.8 table 9-21: source 1, reason 3 or 7).
func (j *judge) enumeration(s *Service, d *DICOM) {
	called := d.RandomCalled
	if !called.Rejected() || called.Source != 1 || called.Reason != 7 {
		return
	}
	switch {
	case d.RandomCalling.Answer == "":
		j.add("ASC-004", s.Port, "The service says that the called AE title is wrong. Whether it says something else for a right one was not seen.", exchange(sentRandomCalled, called.words())).Possible = true
	case d.RandomCalling != called:
		j.add("ASC-004", s.Port, "A wrong called AE title gets another answer than a right one: titles can be guessed.",
			exchange(sentRandomCalled, called.words()), exchange(sentRandomCalling, d.RandomCalling.words()))
	}
}

func (j *judge) userIdentity(s *Service, d *DICOM) {
	if !d.Identity.Accepted() {
		return
	}
	const sent = "A-ASSOCIATE-RQ with user identity (type 2) that nobody has, positive response requested"
	if !d.IdentityAnswered {
		j.add("ASC-005", s.Port, "The user name and the passcode were not looked at.", exchange(sent, "A-ASSOCIATE-AC without a user identity response"))
		return
	}
	j.add("ASC-006", s.Port, "The service confirms a user who does not exist.", exchange(sent, "A-ASSOCIATE-AC with a user identity response")).Possible = !d.IdentityTwice
}

// acceptance judges what an A-ASSOCIATE-AC says and which contexts it accepts.
func (j *judge) acceptance(s *Service, d *DICOM) {
	if d.HasMaxPDU && (d.MaxPDU == 0 || d.MaxPDU > 1<<20) {
		value := fmt.Sprintf("maximum length %d", d.MaxPDU)
		if d.MaxPDU == 0 {
			value = "maximum length 0, which is unlimited"
		}
		j.add("ASC-008", s.Port, "A single PDU may fill the memory of the service.", exchange("A-ASSOCIATE-RQ", value))
	}
	const offered = "A-ASSOCIATE-RQ that offers contexts"
	if d.Private {
		j.add("ASC-009", s.Port, "Objects of a kind that nobody defined would be stored.", exchange(offered, "the context of a made-up SOP class was accepted"))
	}
	if d.Deflated || d.BigEndian {
		var which []string
		if d.Deflated {
			which = append(which, "Deflated Explicit VR Little Endian")
		}
		if d.BigEndian {
			which = append(which, "Explicit VR Big Endian (retired)")
		}
		j.add("ASC-010", s.Port, "Deflated data may grow a thousandfold when they are read; retired syntaxes keep old code in use.", exchange(offered, strings.Join(which, " and ")+" accepted"))
	}
	if d.ClassUID != "" {
		j.add("ASC-011", s.Port, "", exchange("A-ASSOCIATE-RQ", strings.TrimSpace("implementation "+d.ClassUID+" "+d.VersionName)))
	}
	if strings.HasPrefix(d.ClassUID, "1.2.276.0.7230010.3.0.3.") || strings.HasPrefix(d.VersionName, "OFFIS_DCMTK_") {
		j.add("ASC-012", s.Port, "Services of this family serve nobody while one connection sends the start of a PDU and then nothing. It was not tried.",
			exchange("A-ASSOCIATE-RQ", "implementation "+d.VersionName)).Possible = true
	}
}
