package face

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"time"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/guard"
	"collimator/internal/scratch"
)

// Bounds of what is kept of a system behind.
const (
	cacheMost   = 8 << 30          // bytes on the disk
	entriesMost = 200_000          // instances of all series, in memory
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
	file  *scratch.File
	have  map[string]*kept // by SOP Instance UID
	bytes int64
	users int
	used  time.Time
	began time.Time
	gone  bool
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

func (c *cache) release(s *series) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.users--
	s.used = c.now()
	if s.gone && s.users == 0 {
		c.close(s)
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
	c.entries -= len(s.have)
	s.bytes = 0
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
	for c.bytes+n > c.most || c.entries >= entriesMost {
		if !c.evict() {
			return errFull
		}
	}
	c.bytes += n
	s.bytes += n
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

// put writes an instance behind the others of its series. What was written of one that fails stays
// there unread. The caller has the turn, and puts one at a time.
func (c *cache) put(s *series, a *gate.Arrived) error {
	if s.file == nil {
		f, err := scratch.New(c.dir)
		if err != nil {
			return fault.Wrap(fault.Unavailable, err, "face: the object cannot be kept")
		}
		c.mu.Lock()
		s.file = f
		c.mu.Unlock()
	}

	k := &kept{
		Passing: a.Passing, series: s.key.series, instance: a.SOPInstanceUID, class: a.SOPClassUID, syntax: a.TransferSyntaxUID,
		offset: s.file.Size(), in: s,
	}
	sum := sha256.New()
	if err := a.Write(growing{c, s}, sum); err != nil {
		return err
	}
	k.size = s.file.Size() - k.offset
	sum.Write([]byte(k.syntax))
	k.version = hex.EncodeToString(sum.Sum(nil))

	c.mu.Lock()
	defer c.mu.Unlock()
	s.have[k.instance] = k
	c.entries++
	return nil
}

// growing writes to the file of a series.
type growing struct {
	c *cache
	s *series
}

// Write implements io.Writer.
func (g growing) Write(p []byte) (int, error) {
	if err := g.c.grow(g.s, int64(len(p))); err != nil {
		return 0, err
	}
	if at := g.s.file.Size(); g.c.room != nil && (at == 0 || at-g.s.looked >= roomEvery) {
		if err := g.c.room(); err != nil {
			return 0, err
		}
		g.s.looked = at
	}
	return g.s.file.Write(p)
}

// reading is the file of a series for one who reads it.
type reading struct {
	io.ReaderAt
	c    *cache
	s    *series
	once sync.Once
}

// open reads a series that somebody holds, until it is closed.
func (c *cache) open(s *series) *reading {
	c.again(s)
	return &reading{ReaderAt: s.file, c: c, s: s}
}

// Close implements io.Closer.
func (r *reading) Close() error {
	r.once.Do(func() { r.c.release(r.s) })
	return nil
}
