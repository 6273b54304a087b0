package finding

import (
	"fmt"
	"strings"
)

func (j *judge) discovery() {
	imaging := false
	for _, s := range j.facts.Services {
		d := s.DICOM
		if d == nil {
			imaging = imaging || s.HL7 != nil || s.Web != nil && s.Web.Imaging
			continue
		}
		imaging = true
		answer := d.Presence
		if !answer.Speaks() {
			answer = d.Best()
		}
		j.add("DIC-001", s.Port, "", exchange("A-ASSOCIATE-RQ with a protocol version that does not exist", answer.words()))
		if d.NonStandard {
			j.add("DIC-003", s.Port, fmt.Sprintf("Port %d is none of the usual DICOM ports.", s.Port), exchange("TCP connection", "accepted"))
		}
		if d.Honeypot != "" {
			j.add("DIC-006", s.Port, d.Honeypot, exchange("A-ASSOCIATE-RQ", strings.TrimSpace(d.ClassUID+" "+d.VersionName))).Possible = true
		}
	}
	if !imaging {
		return
	}
	if j.facts.OutsideZones {
		j.add("DIC-004", 0, "The address lies in none of the imaging zones of the scope file.", exchange(noBytes, "address "+j.facts.Address.String()))
	}
	if j.facts.Public {
		j.add("DIC-005", 0, "The address is a public one. Whether a firewall stands before it cannot be seen from here.", exchange(noBytes, "address "+j.facts.Address.String())).Possible = true
	}
	if j.facts.Twins >= 64 {
		j.add("DIC-006", 0, fmt.Sprintf("%d neighbouring addresses answer exactly alike.", j.facts.Twins), exchange("the same requests", "the same answers")).Possible = true
	}
}

// transport judges encryption over all services of the host.
func (j *judge) transport() {
	var plain, secure, unseen []uint16
	for _, s := range j.facts.Services {
		d := s.DICOM
		switch {
		case d == nil && s.Web == nil && s.TLS != nil && s.TLS.ClientRequested && s.TLS.Speaks == "" && s.Port != 2761 && s.Port != 2762:
			unseen = append(unseen, s.Port)
		case d != nil && d.TLS, d == nil && s.TLS != nil && (s.Port == 2761 || s.Port == 2762):
			secure = append(secure, s.Port)
		case d != nil:
			plain = append(plain, s.Port)
			answer := d.Best()
			if !answer.Speaks() {
				answer = d.Presence
			}
			j.add("DIC-002", s.Port, "Everything on this connection can be read and changed on its way: names, diagnoses, images.",
				exchange("A-ASSOCIATE-RQ without TLS", answer.words()))
		}
	}
	switch {
	case len(plain) > 0 && len(secure) == 0:
		issue := j.add("TLS-001", 0, "Equipment that could encrypt finds no port for it.", exchange("TLS ClientHello to "+ports(plain), "no ServerHello"))
		if len(unseen) > 0 {
			issue.Possible = true
			issue.Text = "TLS with client certificates is spoken on " + ports(unseen) + "; what is behind cannot be seen from outside."
		}
	case len(plain) > 0:
		j.add("TLS-011", 0, fmt.Sprintf("DICOM over TLS is there (%s), but %s still takes associations without it.", ports(secure), ports(plain)),
			exchange("A-ASSOCIATE-RQ without TLS to "+ports(plain), "answered"))
	}
}

func ports(list []uint16) string {
	var words []string
	for _, p := range list {
		words = append(words, fmt.Sprint(p))
	}
	if len(words) == 1 {
		return "port " + words[0]
	}
	return "ports " + strings.Join(words, ", ")
}
