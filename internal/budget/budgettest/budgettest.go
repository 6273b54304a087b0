// Package budgettest measures what tests hold to a bound of memory.
package budgettest

import (
	"runtime"
	"sync/atomic"
	"time"
)

// lookEvery is how often the heap is looked at.
const lookEvery = 5 * time.Millisecond

// WatchHeap runs f and returns the most bytes that the heap of the process held
// meanwhile: nothing else may run beside it.
func WatchHeap(f func()) uint64 {
	var peak atomic.Uint64
	stop, stopped := make(chan struct{}), make(chan struct{})

	go func() {
		defer close(stopped)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))

			select {
			case <-stop:
				return
			case <-time.After(lookEvery):
			}
		}
	}()

	f()
	close(stop)
	<-stopped
	return peak.Load()
}
