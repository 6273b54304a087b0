package dimse

import (
	"fmt"
	"slices"
	"strings"
)

// SubOperationsError is why sub-operations of a C-GET or C-MOVE failed: the Cause
// of its Outcome, for our own log.
type SubOperationsError struct {
	// First is the cause of the first that failed; nil where only its status is known.
	First error
	// FirstCode is its status.
	FirstCode StatusCode
	// Failed counts by status; codes beyond the 16th count under ProcessingFailure.
	Failed map[StatusCode]int
}

// failedCodes is how many codes are told apart: a receiver may answer with any.
const failedCodes = 16

func (e *SubOperationsError) add(s Status) {
	if e.Failed == nil {
		e.Failed = make(map[StatusCode]int)
		e.First = s.Cause
		e.FirstCode = s.Code
	}
	code := s.Code
	if _, known := e.Failed[code]; !known && len(e.Failed) >= failedCodes {
		code = ProcessingFailure
	}
	e.Failed[code]++
}

// Error implements error.
func (e *SubOperationsError) Error() string {
	codes := make([]StatusCode, 0, len(e.Failed))
	for code := range e.Failed {
		codes = append(codes, code)
	}
	slices.Sort(codes)

	total := 0
	var kinds []string
	for _, code := range codes {
		total += e.Failed[code]
		kinds = append(kinds, fmt.Sprintf("%d with %s", e.Failed[code], code))
	}
	text := fmt.Sprintf("dimse: sub-operations failed: %d", total)
	if len(kinds) > 0 {
		text += " (" + strings.Join(kinds, ", ") + ")"
	}
	if e.First != nil {
		text += "; the first: " + e.First.Error()
	}
	return text
}

// Unwrap gives the first cause.
func (e *SubOperationsError) Unwrap() error { return e.First }
