package dimse

import (
	"collimator/dicom/uid"
	"collimator/dimse/ul"
)

// extended answers extended negotiation as the service class of the SOP Class has
// it (PS3.7 D.3.3.5): nil for a class of which nothing is supported.
func (s Support) extended(x ul.ExtendedNegotiation) []byte {
	if len(x.Info) == 0 {
		return nil
	}
	if s.Storage != nil {
		if o, ok := s.Storage(x.SOPClassUID); ok {
			return o.Bytes()
		}
	}

	if s.Query == nil {
		return nil
	}
	switch serviceOf(x.SOPClassUID) {
	case queries:
		return ParseQueryOptions(x.Info).and(s.Query(x.SOPClassUID)).Bytes(len(x.Info))
	case retrievals:
		return parseRetrieveOptions(x.Info).and(s.Query(x.SOPClassUID)).retrieveBytes(len(x.Info))
	}
	return nil
}

// informationService is which of the services of a query/retrieve information
// model a SOP Class is; their application information differs.
type informationService uint8

const (
	noQuery informationService = iota
	queries
	retrievals
)

// serviceOf knows the SOP Classes of query and retrieve and, of the same form, that of
// the modality worklist.
func serviceOf(sopClass string) informationService {
	switch sopClass {
	case uid.PatientRootFind, uid.StudyRootFind, uid.ModalityWorklistFind, uid.PatientStudyOnlyFind:
		return queries
	case uid.PatientRootMove, uid.PatientRootGet, uid.StudyRootMove, uid.StudyRootGet, uid.PatientStudyOnlyMove, uid.PatientStudyOnlyGet:
		return retrievals
	}
	return noQuery
}

// StorageOptions are the service class application information of a storage SCP
// (PS3.4 B.3.1). The zero value is level 0 (local), no word on signatures, and no
// coercion.
type StorageOptions struct {
	Level           uint8 // 0 local, 1 base, 2 full
	SignatureLevel  uint8 // of digital signatures: 0 unspecified, 1 to 3
	ElementCoercion bool  // elements may be coerced
}

// Bytes is the application information: 6 bytes, the second, fourth and sixth
// reserved.
func (o StorageOptions) Bytes() []byte {
	out := []byte{o.Level, 0, o.SignatureLevel, 0, 0, 0}
	if o.ElementCoercion {
		out[4] = 1
	}
	return out
}

// QueryOptions are the service class application information of query and retrieve
// (PS3.4 C.5.1.1, C.5.2.1, C.5.3.1).
type QueryOptions struct {
	Relational         bool // byte 1: relational queries or retrieval
	DateTimeMatching   bool // byte 2 of C-FIND: combined date and time matching
	FuzzyMatching      bool // byte 3 of C-FIND: fuzzy semantic matching of person names
	TimezoneAdjustment bool // byte 4 of C-FIND: timezone query adjustment
	EnhancedMultiFrame bool // byte 5 of C-FIND, byte 2 of C-MOVE and C-GET: enhanced multi-frame image conversion
}

// ParseQueryOptions reads the application information of C-FIND; bytes that are not there are off.
func ParseQueryOptions(info []byte) QueryOptions {
	on := func(i int) bool { return i < len(info) && info[i] == 1 }
	return QueryOptions{
		Relational:         on(0),
		DateTimeMatching:   on(1),
		FuzzyMatching:      on(2),
		TimezoneAdjustment: on(3),
		EnhancedMultiFrame: on(4),
	}
}

// parseRetrieveOptions reads the application information of C-MOVE and C-GET.
func parseRetrieveOptions(info []byte) QueryOptions {
	on := func(i int) bool { return i < len(info) && info[i] == 1 }
	return QueryOptions{Relational: on(0), EnhancedMultiFrame: on(1)}
}

// retrieveBytes is the application information of C-MOVE and C-GET with n bytes, 1 or 2.
func (q QueryOptions) retrieveBytes(n int) []byte {
	out := make([]byte, min(max(n, 1), 2))
	for i, on := range []bool{q.Relational, q.EnhancedMultiFrame} {
		if on && i < len(out) {
			out[i] = 1
		}
	}
	return out
}

// Bytes is the application information of C-FIND with n bytes, 1 to 5.
func (q QueryOptions) Bytes(n int) []byte {
	out := make([]byte, min(max(n, 1), 5))
	for i, on := range []bool{q.Relational, q.DateTimeMatching, q.FuzzyMatching, q.TimezoneAdjustment, q.EnhancedMultiFrame} {
		if on && i < len(out) {
			out[i] = 1
		}
	}
	return out
}

func (q QueryOptions) and(o QueryOptions) QueryOptions {
	return QueryOptions{
		Relational:         q.Relational && o.Relational,
		DateTimeMatching:   q.DateTimeMatching && o.DateTimeMatching,
		FuzzyMatching:      q.FuzzyMatching && o.FuzzyMatching,
		TimezoneAdjustment: q.TimezoneAdjustment && o.TimezoneAdjustment,
		EnhancedMultiFrame: q.EnhancedMultiFrame && o.EnhancedMultiFrame,
	}
}
