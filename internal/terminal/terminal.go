// Package terminal is how a command speaks with whoever runs it: tables and JSON,
// a line that tells how far long work has come, a QR code, and questions whose
// answers are not shown. It knows no command and no flag; where nobody sits at a
// terminal it says so, or keeps quiet.
package terminal

import (
	"os"

	"golang.org/x/term"
)

// Attended reports that a stream of the process, such as its standard output, is
// a terminal, which a person reads, and not a file or a pipe, which may keep it.
func Attended(stream any) bool {
	_, ok := attended(stream)
	return ok
}

func attended(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}
