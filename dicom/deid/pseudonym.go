package deid

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"math/big"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// mac is the keyed hash of a value for one purpose.
func (d *Deidentifier) mac(purpose, value string) []byte {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write([]byte(value))
	return h.Sum(nil)
}

// checkSize is the last bytes of a pseudonym, a keyed hash of the rest: by it
// the holder of the key, and nobody else, knows his own pseudonyms again and
// leaves them as they are.
const checkSize = 5

// seal makes n bytes from a hash, the last of them the check.
func (d *Deidentifier) seal(purpose string, b []byte) []byte {
	body := b[:len(b)-checkSize]
	copy(b[len(body):], d.mac(purpose+" check", string(body)))
	return b
}

func (d *Deidentifier) sealed(purpose string, b []byte) bool {
	body := b[:len(b)-checkSize]
	return subtle.ConstantTimeCompare(b[len(body):], d.mac(purpose+" check", string(body))[:checkSize]) == 1
}

// uidRoot is that of UIDs made from 128 bits (PS3.5 B.2).
const uidRoot = "2.25."

// newUID is the UID that replaces u. What PS3.6 Annex A registers stays, by
// the table: equipment makes UIDs of studies below the root of the standard too.
// Our own stay as well.
func (d *Deidentifier) newUID(u string) string {
	if u == "" || uid.Known(u) || d.ownUID(u) {
		return u
	}
	b := d.mac("uid", u)[:16]
	b[6] = b[6]&0x0F | 0x80 // a UUID of version 8: bits as the maker sees fit
	b[8] = b[8]&0x3F | 0x80
	return uidRoot + new(big.Int).SetBytes(d.seal("uid", b)).String()
}

func (d *Deidentifier) ownUID(u string) bool {
	digits, ok := strings.CutPrefix(u, uidRoot)
	if !ok || len(digits) > 39 {
		return false
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 || n.String() != digits {
		return false
	}
	return d.sealed("uid", n.FillBytes(make([]byte, 16)))
}

// idPrefix begins the pseudonym of a patient.
const idPrefix = "ANON-"

// idEncoding uses letters and digits that every character set has.
var idEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// pseudonym is the patient ID that replaces that of a patient, 29 characters.
func (d *Deidentifier) pseudonym(patient string) string {
	if d.ownPseudonym(patient) {
		return patient
	}
	return idPrefix + idEncoding.EncodeToString(d.seal("patient", d.mac("patient", patient)[:15]))
}

func (d *Deidentifier) ownPseudonym(s string) bool {
	text, ok := strings.CutPrefix(s, idPrefix)
	if !ok {
		return false
	}
	b, err := idEncoding.DecodeString(text)
	return err == nil && len(b) == 15 && d.sealed("patient", b)
}

// patientOf is what tells the patient of ds from others: the ID with its
// issuer (PS3.3 C.7), or else name and date of birth, or else the study.
func patientOf(ds *dicom.DataSet) string {
	id := strings.TrimSpace(ds.Text(tag.PatientID))
	if issuer := ds.Text(tag.IssuerOfPatientID); id != "" && issuer != "" {
		return id + "\x00" + issuer
	}
	if id != "" {
		return id
	}
	if name := ds.PersonName(tag.PatientName); !name.Empty() {
		return "\x00" + name.Reveal() + "\x00" + ds.Text(tag.PatientBirthDate)
	}
	return "\x00\x00" + ds.Text(tag.StudyInstanceUID)
}

// The bounds of a shift, in days; all go into the past.
const (
	leastShift = 365
	mostShift  = 3650
)

// shift is the days by which the dates of a patient move. Zero for a data set
// whose dates were shifted with this key already.
func (s *session) shift(ds *dicom.DataSet) int {
	if s.profile.Dates != ShiftDates {
		return 0
	}
	if s.ownPseudonym(ds.Text(tag.PatientID)) && ds.Text(tag.LongitudinalTemporalInformationModified) == "MODIFIED" {
		return 0
	}
	n := binary.BigEndian.Uint64(s.mac("shift", s.patient))
	return -(leastShift + int(n%(mostShift-leastShift+1)))
}
