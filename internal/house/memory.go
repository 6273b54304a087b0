package house

import (
	"os"
	"runtime/debug"

	"collimator/internal/config"
)

// restMemory is what a server needs besides what requests hold, in bytes: the
// program, its connections with their buffers, the index.
const restMemory = 80 << 20

// BoundMemory makes the collector work harder before the process takes more than
// the budget of requests and the rest. GOMEMLIMIT, where it is set, counts.
func BoundMemory(l config.Limits) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(l.Memory + restMemory)
	}
}
