package identity

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// fileLook is how often files are looked at for a change.
const fileLook = 5 * time.Second

// FileCertificate hands out a certificate from files that somebody else keeps,
// and reads them again when they change. What cannot be used leaves the one
// before in force; what is for later is taken up when its time comes. Safe for
// concurrent use.
type FileCertificate struct {
	cert, key string
	now       func() time.Time
	failed    func(error) // is told why new files are not used

	mu      sync.Mutex
	current *tls.Certificate
	looked  time.Time
	seen    [2]fileState
	begins  time.Time // of the certificate that was seen, where it is for later; else zero
}

type fileState struct {
	size     int64
	modified time.Time
}

// NewFileCertificate reads a certificate with its chain and its key, both PEM. One
// that is for later is in force at once, because there is no other, and failed is
// told: the clock of a machine that has just started may be years behind.
func NewFileCertificate(cert, key string, now func() time.Time, failed func(error)) (*FileCertificate, error) {
	f := &FileCertificate{cert: cert, key: key, now: now, failed: failed}
	err := f.Reload()
	if early, ok := errors.AsType[*earlyError](err); ok {
		f.current = early.pair
		failed(err)
		return f, nil
	}
	return f, err
}

// earlyError is of a pair whose time has not come by the clock of this machine.
type earlyError struct {
	path string
	pair *tls.Certificate
}

// Error names the file and when its certificate begins.
func (e *earlyError) Error() string {
	return fmt.Sprintf("identity: the certificate in %s is not valid before %s; look at the clock of this machine, too",
		e.path, e.pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
}

// Get is the certificate to present now.
func (f *FileCertificate) Get() (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= fileLook {
		f.looked = now
		due := !f.begins.IsZero() && !now.Before(f.begins)
		if state := f.state(); state != f.seen || due {
			if err := f.load(state); err != nil {
				f.failed(err)
			}
		}
	}
	return f.current, nil
}

// Reload reads the files now. The error says why the ones before stay in force.
func (f *FileCertificate) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked = f.now()
	return f.load(f.state())
}

func (f *FileCertificate) state() (s [2]fileState) {
	for i, name := range []string{f.cert, f.key} {
		if info, err := os.Stat(name); err == nil {
			s[i] = fileState{info.Size(), info.ModTime()}
		}
	}
	return s
}

// load remembers what it saw, good or bad, so that one bad file is told once.
func (f *FileCertificate) load(state [2]fileState) error {
	f.seen = state
	f.begins = time.Time{}
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("identity: the certificate in %s and the key in %s cannot be used together: %w", f.cert, f.key, err)
	}

	switch now := f.now(); {
	case now.After(pair.Leaf.NotAfter):
		return fmt.Errorf("identity: the certificate in %s has expired on %s", f.cert, pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(pair.Leaf.NotBefore):
		f.begins = pair.Leaf.NotBefore
		return &earlyError{f.cert, &pair}
	}

	f.current = &pair
	return nil
}
