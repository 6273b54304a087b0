// Package state is the one register of how the parts of a server are. Whatever
// works unseen, such as a disk, an audit repository or a certificate that is to
// be renewed, sets its state here; health, the doctor, alarms, the report and the
// metrics read it here. So nothing that watches can fail silently in one place
// and be told in another.
package state

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Level says how a part is.
type Level uint8

// The levels. Unknown is that of a part that has not been looked at yet.
const (
	Unknown Level = iota
	Well
	Degraded // it works, and somebody has to do something before it does not
	Failing  // it does not do what it is for
)

var levels = [...]string{"unknown", "well", "degraded", "failing"}

// String is the level in a word.
func (l Level) String() string {
	if int(l) < len(levels) {
		return levels[l]
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// MarshalText makes the word stand in JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the word.
func (l *Level) UnmarshalText(b []byte) error {
	i := slices.Index(levels[:], string(b))
	if i < 0 {
		return fmt.Errorf("state: %q is not a level", b)
	}
	*l = Level(i)
	return nil
}

// State is how one part is. Text and Do are shown to administrators and in
// metrics: they hold no patient data and no secret.
type State struct {
	// Name is of lower-case words with a point between a part and what it is a part
	// of: disk, audit.repository, certificate.web.
	Name  string    `json:"name"`
	Level Level     `json:"level"`
	Since time.Time `json:"since"` // when it came to this level
	// Text says what is, and Do what to do where that is not well.
	Text string `json:"text,omitempty"`
	Do   string `json:"do,omitempty"`
}

// Register holds the state of every part. Safe for concurrent use.
type Register struct {
	now func() time.Time

	mu     sync.Mutex
	states map[string]State
	watch  []func(before, after State)
}

// New makes an empty register.
func New(now func() time.Time) *Register {
	return &Register{now: now, states: map[string]State{}}
}

// Watch has fn called after each change of a level, in the goroutine that set
// it; it must be quick and set nothing. The first state of a part is a change
// from Unknown.
func (r *Register) Watch(fn func(before, after State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch = append(r.watch, fn)
}

// Well says that a part does what it is for.
func (r *Register) Well(name, text string) { r.Set(State{Name: name, Level: Well, Text: text}) }

// Degraded says that somebody has to do something about a part.
func (r *Register) Degraded(name, text, do string) {
	r.Set(State{Name: name, Level: Degraded, Text: text, Do: do})
}

// Failing says that a part does not do what it is for.
func (r *Register) Failing(name, text, do string) {
	r.Set(State{Name: name, Level: Failing, Text: text, Do: do})
}

// Set puts the state of a part in place of the one before. Since is kept while
// the level stays. A nil register keeps nothing.
func (r *Register) Set(s State) {
	if r == nil {
		return
	}

	r.mu.Lock()
	before := r.states[s.Name]
	s.Since = before.Since
	if before.Level != s.Level || before.Name == "" {
		s.Since = r.now()
	}
	r.states[s.Name] = s

	watch := slices.Clone(r.watch)
	r.mu.Unlock()

	if before.Level == s.Level {
		return
	}

	for _, fn := range watch { // without the lock: it may ask for states
		fn(before, s)
	}
}

// Forget takes a part out that is no longer there.
func (r *Register) Forget(name string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.states, name)
}

// All is a copy of the states, sorted by name; nil for a nil Register.
func (r *Register) All() []State {
	if r == nil {
		return nil
	}

	r.mu.Lock()
	list := make([]State, 0, len(r.states))
	for _, s := range r.states {
		list = append(list, s)
	}
	r.mu.Unlock()

	slices.SortFunc(list, func(a, b State) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Worst is the worst level of all parts; Well where there is none.
func (r *Register) Worst() Level {
	worst := Well
	for _, s := range r.All() {
		worst = max(worst, s.Level)
	}
	return worst
}
