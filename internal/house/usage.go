package house

import "fmt"

// UsageError is what somebody asked for that cannot be because a setting, a flag
// or a file they name is wrong: it is theirs to mend, and nothing was done.
type UsageError struct{ Err error }

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *UsageError) Unwrap() error { return e.Err }

func usage(format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...)}
}
