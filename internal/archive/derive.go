package archive

import (
	"crypto/sha256"
	"math/big"
)

// Objects without a patient, such as color palettes (PS3.4 GG), and images of
// equipment that leaves Study or Series Instance UID empty are filed under a UID
// of our own, made of what they do say: the object is kept as it came, and can
// be found and retrieved. The same data set gets the same UIDs each time.

// fileUnder fills in the study and series of an instance that names none.
func fileUnder(r *InstanceRef) {
	switch {
	case r.StudyUID == "" && r.SeriesUID == "":
		r.StudyUID = derivedUID("study of instance", r.SOPInstanceUID)
	case r.StudyUID == "":
		r.StudyUID = derivedUID("study of series", r.SeriesUID)
	}
	if r.SeriesUID == "" {
		r.SeriesUID = derivedUID("series of study", r.StudyUID+" "+r.SOPClassUID)
	}
}

// derivedUID is a UID of the root 2.25 (PS3.5 B.2) that depends on kind and
// value alone. It is marked as a UUID of version 8 (RFC 9562 5.8).
func derivedUID(kind, value string) string {
	sum := sha256.Sum256([]byte("collimator " + kind + "\x00" + value))
	b := sum[:16]
	b[6] = b[6]&0x0F | 0x80
	b[8] = b[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(b).String()
}
