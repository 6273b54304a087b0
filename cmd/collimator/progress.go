package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress is a line that is rewritten while long work goes on. Where standard
// error is no terminal it prints nothing. Safe for concurrent use.
type progress struct {
	w     io.Writer
	verb  string
	total int

	mu      sync.Mutex
	done    int
	failed  int
	bytes   int64
	start   time.Time
	printed time.Time
	shown   bool
}

// progressEvery is how often the line is rewritten at the most.
const progressEvery = 200 * time.Millisecond

func newProgress(e *env, verb string, total int) *progress {
	p := &progress{verb: verb, total: total, start: time.Now()}
	if f, ok := e.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w = f
	}
	return p
}

// add counts one more; n is its size in bytes.
func (p *progress) add(n int64, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.bytes += n
	if failed {
		p.failed++
	}
	p.print(false)
}

// set takes counts from elsewhere.
func (p *progress) set(done, failed, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.failed, p.total = done, failed, total
	p.print(false)
}

// end leaves the line as it stands.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.print(true)
		fmt.Fprintln(p.w)
	}
}

func (p *progress) print(now bool) {
	if p.w == nil || !now && time.Since(p.printed) < progressEvery {
		return
	}
	p.printed, p.shown = time.Now(), true
	fmt.Fprintf(p.w, "\r\x1b[K%s", p.line())
}

func (p *progress) line() string {
	elapsed := time.Since(p.start)
	s := fmt.Sprintf("%s %d", p.verb, p.done)
	if p.total > 0 {
		s += fmt.Sprintf(" of %d", p.total)
	}
	if p.failed > 0 {
		s += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.bytes > 0 {
		s += fmt.Sprintf(", %s at %s/s", size(p.bytes), size(int64(float64(p.bytes)/max(elapsed.Seconds(), 0.001))))
	}
	if p.done > 0 && p.done < p.total {
		left := time.Duration(float64(elapsed) / float64(p.done) * float64(p.total-p.done))
		s += ", " + left.Round(time.Second).String() + " left"
	}
	return s
}

// size prints bytes for people.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
