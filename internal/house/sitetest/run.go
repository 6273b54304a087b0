package sitetest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
)

// GarbagePercent is GOGC of processes of tests: they end soon and need little memory.
const GarbagePercent = 400

// Run runs the tests of a package that opens many installations, and gives the exit
// code. Twice as many run at once as there are processors, where the command line
// says no other number: half of them wait for a disk, a peer or a process.
func Run(m *testing.M) int {
	debug.SetGCPercent(GarbagePercent)
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}

	return m.Run()
}
