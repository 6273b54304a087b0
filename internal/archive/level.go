package archive

import (
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/archive/index"
)

// Level is a level of the information models of PS3.4 C.6.
type Level = index.Level

// The levels, from the top.
const (
	PatientLevel = index.PatientLevel
	StudyLevel   = index.StudyLevel
	SeriesLevel  = index.SeriesLevel
	ImageLevel   = index.ImageLevel
)

// ParseLevel reads a value of Query/Retrieve Level; zero for any other.
func ParseLevel(s string) Level { return index.ParseLevel(s) }

// assume makes a data set that declares no character set readable in one that
// its source is known to write. It returns the terms joined, or nothing where
// the data set declares its own.
func assume(ds *dicom.DataSet, terms []string) string {
	if len(terms) == 0 || len(ds.Values(tag.SpecificCharacterSet)) > 0 {
		return ""
	}
	ds.AssumeCharacterSet(terms...)

	return strings.Join(terms, `\`)
}
