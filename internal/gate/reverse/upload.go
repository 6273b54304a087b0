package reverse

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"collimator/internal/fault"
	"collimator/internal/patch"
)

// upload is the body of a request on its way to the system behind. What reads it may outlive the
// answer: end parts them.
type upload struct {
	from   io.Reader
	size   int64
	look   func(piece []byte) *patch.Refusal // at what comes; nil where nobody needs to
	cut    func()                            // ends a Read that waits
	n      atomic.Int64                      // bytes that were read
	ended  atomic.Bool
	failed atomic.Pointer[statusError]
}

func (a *asked) newUpload() *upload {
	u := &upload{from: io.LimitReader(a.r.Body, a.r.ContentLength), size: a.r.ContentLength}
	u.cut = func() {
		_ = http.NewResponseController(a.w).SetReadDeadline(time.Unix(1, 0)) // where it is not supported, that of the server holds
	}
	u.look = a.x.patches.WebBody(a.patched(nil))
	return u
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	if u.ended.Load() {
		return 0, io.ErrClosedPipe
	}
	n, err := u.from.Read(p)
	u.n.Add(int64(n))
	switch {
	case err == io.EOF && u.n.Load() == u.size:
	case err != nil:
		u.fail(withStatus(http.StatusBadRequest, fault.Invalid, "the body did not arrive whole"))
	}
	if u.look == nil {
		return n, err
	}
	if refusal := refused(u.look(p[:n])); refusal != nil {
		u.fail(refusal)
		return 0, refusal
	}
	return n, err
}

// fail takes down why the body did not arrive, unless it is not wanted any more.
func (u *upload) fail(err error) {
	if e, ok := errors.AsType[*statusError](err); ok && !u.ended.Load() {
		u.failed.CompareAndSwap(nil, e)
	}
}

// failure is why the body did not arrive; nil where nothing failed.
func (u *upload) failure() error {
	if e := u.failed.Load(); e != nil {
		return e
	}
	return nil
}

// end is called when the answer is there: nothing of the body is read any more. It reports
// whether a part of it was still to come.
func (u *upload) end() (early bool) {
	u.ended.Store(true)
	if early = u.n.Load() < u.size; early {
		u.cut()
	}
	return early
}
