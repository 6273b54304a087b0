package face

import (
	"context"
	"io"
	"sync"
	"time"

	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/scratch"
)

// Bounds of what is kept of a system behind.
const (
	cacheMost   = 8 << 30          // bytes on the disk
	entriesMost = 400_000          // instances of all series, in memory: as they are listed, and as they are kept
	keptFor     = 10 * time.Minute // since somebody asked for it
	keptMost    = time.Hour        // since the first of it came
	roomEvery   = 16 << 20         // bytes after which somebody looks whether the disk has room
)

// seriesKey names a series of a route.
type seriesKey struct{ route, system, study, series string }

// kept is an instance on the disk: a part of the file of its series.
type kept struct {
	guard.Passing
	series, instance, class, syntax string
	offset, size                    int64
	version                         string
	in                              *series
	file                            *scratch.File // of the series; closed when nobody holds that any more
}

// Original is what the record of a transfer names.
func (k *kept) Original() any { return k.Passing }

// series is what is kept of one.
type series struct {
	key  seriesKey
	turn chan struct{} // who has it may ask the system behind, and writes

	// of who has the turn
	listed   time.Time
	patient  string
	instance []listed
	looked   int64 // bytes of the file when room was looked for

	// of the cache
	file    *scratch.File
	have    map[string]*kept // by SOP Instance UID
	bytes   int64
	entries int // of have and of instance
	users   int
	used    time.Time
	began   time.Time
	gone    bool
}

// listed is an instance of a series as the system behind says.
type listed struct {
	uid, class string
	number     int64
}

// cache keeps series on the disk, encrypted and without a name, for a while. Safe for
// concurrent use.
type cache struct {
	dir  string
	most int64
	room func() error
	now  func() time.Time

	mu      sync.Mutex
	by      map[seriesKey]*series
	bytes   int64
	entries int
	sweeper *time.Timer
}

func newCache(dir string, room func() error, now func() time.Time) *cache {
	return &cache{dir: dir, most: cacheMost, room: room, now: now, by: map[seriesKey]*series{}}
}

// hold finds a series, or begins one, and keeps it until release.
func (c *cache) hold(key seriesKey) *series {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	s := c.by[key]
	if s == nil {
		s = &series{key: key, turn: make(chan struct{}, 1), have: map[string]*kept{}, began: c.now()}
		c.by[key] = s
	}
	s.users++
	s.used = c.now()
	return s
}

// again holds a series that somebody holds.
func (c *cache) again(s *series) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.users++
}

// release ends a hold. A series of which nothing came is not kept: the system behind may name as many
// as it likes.
func (c *cache) release(s *series) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.users--
	s.used = c.now()
	if s.users == 0 && (s.gone || len(s.have) == 0) {
		c.remove(s)
	}
	if c.sweeper == nil && len(c.by) > 0 {
		c.sweeper = time.AfterFunc(keptFor, c.later)
	}
}

// later sweeps when nobody asks for anything any more.
func (c *cache) later() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	c.sweeper = nil
	if len(c.by) > 0 {
		c.sweeper = time.AfterFunc(keptFor, c.later)
	}
}

// sweep removes what was kept for long enough. Called with mu held.
func (c *cache) sweep() {
	now := c.now()
	for _, s := range c.by {
		if s.users == 0 && now.Sub(s.used) >= keptFor || now.Sub(s.began) >= keptMost {
			c.remove(s)
		}
	}
}

// forget removes a series: something was stored in it.
func (c *cache) forget(key seriesKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.by[key]; s != nil {
		c.remove(s)
	}
}

// remove takes a series out; its file ends with the last who holds it. Called with mu held.
func (c *cache) remove(s *series) {
	if c.by[s.key] == s {
		delete(c.by, s.key)
	}
	s.gone = true
	if s.users == 0 {
		c.close(s)
	}
}

// close gives back what a series has. Called with mu held.
func (c *cache) close(s *series) {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	c.bytes -= s.bytes
	c.entries -= s.entries
	s.bytes = 0
	s.entries = 0
	s.have = map[string]*kept{}
}

// shut removes all.
func (c *cache) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.by {
		c.remove(s)
	}
	if c.sweeper != nil {
		c.sweeper.Stop()
	}
}

var errFull = fault.New(fault.Busy, "face: what others look at takes all the room there is for images of systems behind the gate; try again later")

// grow finds room for n more bytes of a series: what was used longest ago gives way.
func (c *cache) grow(s *series, n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.bytes+n > c.most {
		if !c.evict() {
			return errFull
		}
	}
	c.bytes += n
	s.bytes += n
	return nil
}

// count finds room for n more entries of a series in memory. Called with mu held.
func (c *cache) count(s *series, n int) error {
	for c.entries+n > entriesMost {
		if !c.evict() {
			return errFull
		}
	}
	c.entries += n
	s.entries += n
	return nil
}

// list keeps what is in a series by what the system behind says, and whose it is. What came of
// another patient before is not given any more. The caller has the turn.
func (c *cache) list(s *series, patient string, list []listed) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.count(s, len(list)-len(s.instance)); err != nil {
		return err
	}
	s.patient = patient
	s.instance = list
	s.listed = c.now()

	for uid, k := range s.have {
		if patient != "" && k.Patient != patient {
			delete(s.have, uid)
			c.entries--
			s.entries--
		}
	}
	return nil
}

// evict removes what nobody holds and was used longest ago. Called with mu held.
func (c *cache) evict() bool {
	var oldest *series
	for _, s := range c.by {
		if s.users == 0 && (oldest == nil || s.used.Before(oldest.used)) {
			oldest = s
		}
	}
	if oldest == nil {
		return false
	}
	c.remove(oldest)
	return true
}

// take begins to ask the system behind about a series; one who asks lets the next go on by give.
func (s *series) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *series) give() { <-s.turn }

// get is an instance of a series, if it is there.
func (c *cache) get(s *series, instance string) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.have[instance]
}

// reading is the file of a series for one who reads it.
type reading struct {
	io.ReaderAt
	c    *cache
	s    *series
	once sync.Once
}

// open reads what is kept of a series, until it is closed. Where nobody holds that any more, each
// reading fails.
func (c *cache) open(k *kept) *reading {
	c.again(k.in)
	return &reading{ReaderAt: k.file, c: c, s: k.in}
}

// Close implements io.Closer.
func (r *reading) Close() error {
	r.once.Do(func() { r.c.release(r.s) })
	return nil
}
