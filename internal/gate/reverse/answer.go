package reverse

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"collimator/internal/fault"
	"collimator/internal/guard"
	"collimator/internal/inspect"
)

// passedBack are the headers of an answer that a browser gets. All others, such as cookies, and
// what the system says of itself or asks of browsers, end here.
var passedBack = []string{
	"Accept-Ranges", "Allow", "Content-Disposition", "Content-Language", "Content-Range", "Etag", "Last-Modified", "Retry-After",
}

// judgeAnswer refuses an answer that must not reach a browser.
func (a *asked) judgeAnswer(rsp *http.Response) error {
	switch {
	case rsp.StatusCode == http.StatusUnauthorized || rsp.StatusCode == http.StatusProxyAuthRequired:
		a.x.tell("does not take the password that is set for it")
		return withStatus(http.StatusBadGateway, fault.Unavailable,
			"the system behind does not take the password that is set for it: collimator gate password %s", a.x.Name)
	case rsp.StatusCode < 200 || rsp.StatusCode > 599:
		return withStatus(http.StatusBadGateway, fault.Unavailable, "the system behind answers with a status that is none")
	case len(rsp.Header.Values("Content-Encoding")) > 0:
		return withStatus(http.StatusBadGateway, fault.Unavailable, "the system behind compresses, and was not asked to")
	}
	return nil
}

// pass passes an answer on.
func (a *asked) pass(rsp *http.Response) (out guard.PageOutcome) {
	h := a.w.Header()
	if text := rsp.Header.Get("Location"); text != "" {
		to, err := a.location(text)
		if err != nil {
			return guard.PageOutcome{Err: err}
		}
		h.Set("Location", to)
	}

	body := newPaced(rsp.Body)
	head := make([]byte, headMost)
	n, err := io.ReadFull(body, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return guard.PageOutcome{Err: a.unanswered(a.r.Context(), err)}
	}
	head = head[:n]
	if kind, found := inspect.Program(head); found {
		return guard.PageOutcome{Err: withStatus(http.StatusBadGateway, fault.Denied, "the answer is a program (%s)", kind)}
	}

	for _, name := range passedBack {
		if text := rsp.Header.Get(name); text != "" && len(text) <= valueMost {
			h.Set(name, text)
		}
	}
	kind := typeOf(rsp.Header.Get("Content-Type"))
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", cacheOf(kind))
	if rsp.ContentLength >= 0 && rsp.StatusCode != http.StatusNoContent && rsp.StatusCode != http.StatusNotModified {
		h.Set("Content-Length", strconv.FormatInt(rsp.ContentLength, 10))
	}
	a.w.WriteHeader(rsp.StatusCode)
	out.Status = rsp.StatusCode
	out.Sent, out.Err = a.copy(head, body, rsp.ContentLength < 0)
	return out
}

// pieceSize is how much of an answer is held at a time, in bytes.
const pieceSize = 32 << 10

// copy writes a body. One whose length nobody said is sent on piece by piece.
func (a *asked) copy(head []byte, body io.Reader, flush bool) (sent int64, err error) {
	if a.r.Method == http.MethodHead {
		return 0, nil
	}
	n := 0
	if len(head) > 0 { // some answers have none, and may not be written to
		n, err = a.w.Write(head)
		sent = int64(n)
	}

	piece := make([]byte, pieceSize)
	for err == nil {
		read, failed := body.Read(piece)
		if read > 0 {
			n, err = a.w.Write(piece[:read])
			sent += int64(n)
		}
		if flush && err == nil && read > 0 {
			err = http.NewResponseController(a.w).Flush()
		}
		if failed == io.EOF {
			return sent, err
		}
		if failed != nil {
			return sent, fault.New(fault.Unavailable, "reverse: the answer of the system behind ended before it was whole")
		}
	}
	return sent, fault.New(fault.Unavailable, "reverse: the browser did not take the answer")
}

// typeOf is a media type as a browser gets it; what is none is bytes.
func typeOf(text string) string {
	kind, parameters, err := mime.ParseMediaType(text)
	if err != nil || strings.ContainsAny(kind, "*") || !strings.Contains(kind, "/") {
		return "application/octet-stream"
	}
	return mime.FormatMediaType(kind, parameters)
}

// cacheOf says what a browser may keep: what programs and styles are made of, and nothing that may
// be of a patient.
func cacheOf(kind string) string {
	kind, _, _ = strings.Cut(kind, ";")
	switch {
	case kind == "text/css", kind == "text/javascript", kind == "application/javascript", kind == "application/x-javascript",
		strings.HasPrefix(kind, "font/"):
		return "private, max-age=600"
	}
	return "no-store"
}

// location is where the system behind leads a browser, on this origin; elsewhere is refused.
func (a *asked) location(text string) (string, error) {
	elsewhere := withStatus(http.StatusBadGateway, fault.Denied, "the system behind leads elsewhere")
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.User != nil || strings.ContainsAny(text, "\\\t") {
		return "", elsewhere
	}
	base := &url.URL{Scheme: a.x.to.Scheme, Host: a.x.to.Host, Path: a.path.decoded(), RawPath: a.path.escaped()}
	u = base.ResolveReference(u)
	own := u.Scheme == "https" && strings.EqualFold(u.Host, a.x.host)
	if !own && (u.Scheme != a.x.to.Scheme || hostPort(u.Scheme+"://"+u.Host) != a.x.Behind()) {
		return "", elsewhere
	}

	to := u.EscapedPath()
	if u.RawQuery != "" {
		to += "?" + u.RawQuery
	}
	if to, err = localPath(to); err != nil {
		return "", elsewhere
	}
	if u.Fragment != "" {
		to += "#" + u.EscapedFragment()
	}
	return to, nil
}

// The least rate of an answer, while it is waited for: what the browser takes to read does not
// count.
const (
	paceBytes  = 16 << 10
	paceWindow = 30 * time.Second
)

// paced is an answer of a system that may not drip.
type paced struct {
	io.Reader
	waited time.Duration
	bytes  int64
}

func newPaced(r io.Reader) *paced { return &paced{Reader: r} }

// Read implements io.Reader.
func (p *paced) Read(b []byte) (int, error) {
	began := time.Now()
	n, err := p.Reader.Read(b)
	p.waited += time.Since(began)
	p.bytes += int64(n)
	if p.bytes >= paceBytes {
		p.bytes, p.waited = 0, 0
	}
	if p.waited > paceWindow && err == nil {
		return n, os.ErrDeadlineExceeded
	}
	return n, err
}
