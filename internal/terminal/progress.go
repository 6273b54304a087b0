package terminal

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress is a line that is rewritten while long work goes on. Where it is not
// written to a terminal it prints nothing. Safe for concurrent use.
type Progress struct {
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

// NewProgress begins a line: what is counted, and how many there are to come,
// 0 where nobody knows.
func NewProgress(w io.Writer, verb string, total int) *Progress {
	p := &Progress{verb: verb, total: total, start: time.Now()}
	if Attended(w) {
		p.w = w
	}
	return p
}

// Add counts one more; n is its size in bytes.
func (p *Progress) Add(n int64, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.done++
	p.bytes += n
	if failed {
		p.failed++
	}

	p.print(false)
}

// Count is Add for what cannot fail.
func (p *Progress) Count(n int64) { p.Add(n, false) }

// Tick counts one more that has no size.
func (p *Progress) Tick() { p.Add(0, false) }

// Set takes counts from elsewhere.
func (p *Progress) Set(done, failed, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.done, p.failed, p.total = done, failed, total
	p.print(false)
}

// Reach is Set for what cannot fail.
func (p *Progress) Reach(done, total int64) { p.Set(int(done), 0, int(total)) }

// End leaves the line as it stands.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.print(true)
		fmt.Fprintln(p.w)
	}
}

func (p *Progress) print(now bool) {
	if p.w == nil || !now && time.Since(p.printed) < progressEvery {
		return
	}

	p.printed = time.Now()
	p.shown = true
	fmt.Fprintf(p.w, "\r\x1b[K%s", p.line())
}

func (p *Progress) line() string {
	elapsed := time.Since(p.start)
	s := fmt.Sprintf("%s %d", p.verb, p.done)

	if p.total > 0 {
		s += fmt.Sprintf(" of %d", p.total)
	}
	if p.failed > 0 {
		s += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.bytes > 0 {
		s += fmt.Sprintf(", %s at %s/s", Size(p.bytes), Size(int64(float64(p.bytes)/max(elapsed.Seconds(), 0.001))))
	}
	if p.done > 0 && p.done < p.total {
		left := time.Duration(float64(elapsed) / float64(p.done) * float64(p.total-p.done))
		s += ", " + left.Round(time.Second).String() + " left"
	}

	return s
}

// Stages shows the progress of work that has several steps: one line each, one
// after the other. Not safe for concurrent use.
type Stages struct {
	W    io.Writer
	verb string
	line *Progress // nil before the first
}

// At is the line of a step; that of the step before is ended.
func (s *Stages) At(verb string) *Progress {
	if s.line == nil || s.verb != verb {
		s.End()
		s.verb = verb
		s.line = NewProgress(s.W, verb, 0)
	}
	return s.line
}

// End leaves the line of the last step as it stands.
func (s *Stages) End() {
	if s.line != nil {
		s.line.End()
	}
	s.line = nil
}
