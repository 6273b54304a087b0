package face

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/scratch"
)

// pen writes what comes for one question to the file of a series, until that has ended: the system
// behind may go on sending, and the next who asks writes to the same file. Safe for concurrent use.
type pen struct {
	c *cache
	s *series

	one  sync.Mutex // instances are written one behind the other; the system behind may send on several associations
	mu   sync.Mutex // held while something is written
	over bool
}

// errLate refuses what comes for a question that has ended.
var errLate = fault.New(fault.Canceled, "face: what was asked for came when nobody waited for it any more")

// end is the end of the question: nothing is written after it.
func (p *pen) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// put writes an instance behind the others of its series. What was written of one that fails stays
// there unread.
func (p *pen) put(a *gate.Arrived) error {
	p.one.Lock()
	defer p.one.Unlock()
	f, err := p.file()
	if err != nil {
		return err
	}

	k := &kept{
		Passing: a.Passing, series: p.s.key.series, instance: a.SOPInstanceUID, class: a.SOPClassUID, syntax: a.TransferSyntaxUID,
		offset: f.Size(), in: p.s, file: f,
	}
	sum := sha256.New()
	if err := a.Write(p, sum); err != nil {
		return err
	}
	k.size = f.Size() - k.offset
	sum.Write([]byte(k.syntax))
	k.version = hex.EncodeToString(sum.Sum(nil))
	return p.keep(k)
}

// file is that of the series, which may have none yet.
func (p *pen) file() (*scratch.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return nil, errLate
	}
	if p.s.file != nil {
		return p.s.file, nil
	}

	f, err := scratch.New(p.c.dir)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "face: the object cannot be kept")
	}
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.s.file = f
	return f, nil
}

// keep makes an instance one that is given.
func (p *pen) keep(k *kept) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return errLate
	}

	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	if err := p.c.count(p.s, 1); err != nil {
		return err
	}
	p.s.have[k.instance] = k
	return nil
}

// Write implements io.Writer.
func (p *pen) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return 0, errLate
	}
	if err := p.c.grow(p.s, int64(len(b))); err != nil {
		return 0, err
	}
	if at := p.s.file.Size(); p.c.room != nil && (at == 0 || at-p.s.looked >= roomEvery) {
		if err := p.c.room(); err != nil {
			return 0, err
		}
		p.s.looked = at
	}
	return p.s.file.Write(b)
}
