package finding

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (j *judge) tls(s *Service, t *TLSFacts) {
	if old := oldVersions(t.Versions); len(old) > 0 {
		j.add("TLS-002", s.Port, "Known attacks read what these versions protect.", exchange("ClientHello up to "+strings.Join(old, ", "), "ServerHello"))
	}
	j.suites(s, t)
	if t.Certificate != nil {
		j.certificate(s, t.Certificate)
	}
	if s.DICOM == nil || !s.DICOM.TLS {
		return
	}
	if !t.ClientRequested {
		j.add("TLS-008", s.Port, "The connection is private, but anybody can open one.", exchange("TLS handshake", "no CertificateRequest"))
	} else if t.Throwaway && s.DICOM.ClientCertificate && s.DICOM.Stranger() {
		j.add("TLS-009", s.Port, "A certificate is asked for, but any will do.",
			exchange("self-signed throwaway certificate, then "+sentRandomCalled, "handshake completed, "+s.DICOM.Best().words()))
	}
}

func oldVersions(list []string) []string {
	var old []string
	for _, v := range list {
		if v != "TLS 1.2" && v != "TLS 1.3" {
			old = append(old, v)
		}
	}
	return old
}

// milder tells classes without forward secrecy or with a dated MAC: weak, not broken.
func milder(class string) bool { return class == "static RSA" || class == "CBC with SHA-1" }

func (j *judge) suites(s *Service, t *TLSFacts) {
	if len(t.Weak) == 0 {
		return
	}
	var classes []string
	broken := false
	for class := range t.Weak {
		classes = append(classes, class)
		broken = broken || !milder(class)
	}
	slices.Sort(classes)
	var evidence []Evidence
	for _, class := range classes {
		evidence = append(evidence, exchange("ClientHello with "+class+" only", "ServerHello with "+t.Weak[class]))
	}
	issue := j.add("TLS-003", s.Port, "Accepted: "+strings.Join(classes, ", ")+".", evidence...)
	if !broken {
		issue.Severity = Medium
	}
}

const day = 24 * time.Hour

func (j *judge) certificate(s *Service, c *Certificate) {
	at := j.facts.At
	const sent = "TLS handshake"
	life := c.NotAfter.Sub(c.NotBefore)
	longest := 825 * day
	if c.Authority == "system" {
		longest = 398 * day
	}
	valid := exchange(sent, fmt.Sprintf("certificate valid from %s to %s", c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly)))
	switch {
	case at.After(c.NotAfter):
		j.add("TLS-004", s.Port, "It has expired.", valid)
	case at.Before(c.NotBefore):
		j.add("TLS-004", s.Port, "It is not valid yet.", valid)
	case life > longest:
		j.add("TLS-004", s.Port, fmt.Sprintf("It is valid for %d days; %d are the most that is usual.", int(life/day), int(longest/day)), valid)
	}
	if c.Authority == "" {
		text := "No authority that this scan knows vouches for it."
		if c.SelfSigned {
			text = "It is signed by itself."
		}
		j.add("TLS-005", s.Port, text+" Fine where every peer pins it.", exchange(sent, "certificate SHA-256 "+c.Fingerprint))
	}
	if !c.NameMatches {
		j.add("TLS-006", s.Port, "Clients that compare names will warn, and people learn to ignore the warning.", exchange(sent, "certificate does not hold "+j.facts.target()))
	}
	var weak []string
	if c.KeyType == "RSA" && c.KeyBits < 2048 || c.KeyType == "ECDSA" && c.KeyBits < 224 || c.KeyType == "DSA" {
		weak = append(weak, fmt.Sprintf("%s key of %d bits", c.KeyType, c.KeyBits))
	}
	if strings.Contains(c.Signature, "SHA1") || strings.Contains(c.Signature, "MD5") || strings.Contains(c.Signature, "MD2") {
		weak = append(weak, "signature "+c.Signature)
	}
	if len(weak) > 0 {
		j.add("TLS-007", s.Port, "Such a certificate can be forged or its key computed.", exchange(sent, strings.Join(weak, ", ")))
	}
	if c.PublicKeyKnown != "" {
		j.add("TLS-010", s.Port, "Its private key is published ("+c.PublicKeyKnown+"): anybody can pose as this service.", exchange(sent, "certificate SHA-256 "+c.Fingerprint))
	}
}

// target is the name under which the host was scanned.
func (f *Facts) target() string {
	if f.Name != "" {
		return f.Name
	}
	return f.Address.String()
}
