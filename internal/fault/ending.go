package fault

import (
	"errors"
	"fmt"
)

// Ending is how work that somebody asked for at a command line came to its end,
// where that is more than well or badly. Whoever runs the work decides it; the
// command line alone knows the exit code of each.
type Ending uint8

// The endings. Failed is that of an error that names none.
const (
	Failed  Ending = iota // it did not work; the error says why
	Misused               // a flag, a setting or a file that was named is wrong, and nothing was done
	Partly                // some of it worked, or what was asked for was found; it is listed
	Refused               // the peer refused
	Found                 // what was looked for is so severe that whoever asked wants to be told
)

// EndError is an error with its ending. It reads as the error does.
type EndError struct {
	Ending Ending
	Err    error
}

// Error implements error.
func (e *EndError) Error() string { return e.Err.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *EndError) Unwrap() error { return e.Err }

// Ended gives an error an ending; nil stays nil.
func Ended(how Ending, err error) error {
	if err == nil {
		return nil
	}
	return &EndError{how, err}
}

// Usage is what somebody asked for that cannot be because a flag, a setting or a
// file they named is wrong: it is theirs to mend, and nothing was done.
func Usage(format string, args ...any) error { return &EndError{Misused, fmt.Errorf(format, args...)} }

// Misuse gives an error of kind Invalid, such as a reason or a UID that makes no sense,
// the ending Misused: who asked can mend it. Other errors stay as they are.
func Misuse(err error) error {
	if Of(err) == Invalid {
		return Ended(Misused, err)
	}
	return err
}

// Partial is work of which some was done, and the rest was not.
func Partial(format string, args ...any) error {
	return &EndError{Partly, fmt.Errorf(format, args...)}
}

// EndingOf is the outermost ending that is named in the chain of an error.
func EndingOf(err error) Ending {
	if e, ok := errors.AsType[*EndError](err); ok {
		return e.Ending
	}
	return Failed
}
