package main

import "collimator/internal/house"

// stages shows the progress of work that has several steps: one line each, one
// after the other. Not safe for concurrent use.
type stages struct {
	e    *env
	verb string
	line *progress // nil before the first
}

// at is the line of a step; that of the step before is ended.
func (s *stages) at(verb string) *progress {
	if s.line == nil || s.verb != verb {
		s.end()
		s.verb = verb
		s.line = newProgress(s.e, verb, 0)
	}
	return s.line
}

func (s *stages) end() {
	if s.line != nil {
		s.line.end()
	}
	s.line = nil
}

// restore shows how far a restore has come.
func (s *stages) restore() house.RestoreSteps {
	return house.RestoreSteps{
		Restored: func(bytes int64) { s.at("files restored").add(bytes, false) },
		Indexed:  func(done, all int64) { s.at("instances indexed").set(int(done), 0, int(all)) },
		Verified: func() { s.at("verified").add(0, false) },
	}
}
