package scan

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"

	"collimator/internal/finding"
)

// Bounds of one HTTP answer.
const (
	maxHeader = 64 << 10
	maxBody   = 128 << 10
)

// webAnswer is one answer of a web server. Its body lives only as long as it is
// looked at for marks; it is never kept.
type webAnswer struct {
	page   finding.Page
	header http.Header
	body   []byte
}

// webRequest is what is asked.
type webRequest struct {
	method, path string
	header       map[string]string
}

// fetch sends one whole request and reads one answer on a connection of its own.
// ok is false where the answer is not HTTP.
func (d door) fetch(ctx context.Context, rq webRequest) (a webAnswer, ok bool, err error) {
	conn, l, err := d.open(ctx)
	if err != nil {
		return a, false, err
	}
	defer l.Close()

	if _, err := conn.Write(d.encode(rq)); err != nil {
		return a, false, nil
	}

	a, ok = readWeb(conn, rq)
	if ok {
		l.answered("http")
	} else {
		l.unanswered("http")
	}
	return a, ok, nil
}

func (d door) encode(rq webRequest) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Collimator-scan\r\n", rq.method, rq.path, d.host())
	b.WriteString("Accept: application/dicom+json, application/json, text/html;q=0.9, */*;q=0.5\r\nConnection: close\r\n")
	for name, value := range rq.header {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}

	if rq.method == http.MethodPost {
		b.WriteString("Content-Length: 0\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func (d door) host() string {
	name := d.v.facts.Name
	if name == "" {
		return netip.AddrPortFrom(d.v.facts.Address, d.port).String()
	}
	return fmt.Sprintf("%s:%d", name, d.port)
}

// readWeb decodes one answer; the body is cut at a bound.
func readWeb(r io.Reader, rq webRequest) (webAnswer, bool) {
	a := webAnswer{page: finding.Page{Sent: rq.method + " " + shown(rq.path)}}
	limited := &io.LimitedReader{R: r, N: maxHeader + maxBody}
	buffered := bufio.NewReader(limited)

	if start, err := buffered.Peek(5); err != nil || string(start) != "HTTP/" {
		return a, false
	}

	rsp, err := http.ReadResponse(buffered, &http.Request{Method: rq.method})
	if err != nil {
		return a, false
	}
	defer rsp.Body.Close()

	a.body, _ = io.ReadAll(io.LimitReader(rsp.Body, maxBody))
	a.header = rsp.Header
	a.page.Status = rsp.StatusCode
	a.page.Length = len(a.body)

	kind, _, _ := strings.Cut(rsp.Header.Get("Content-Type"), ";")
	a.page.Kind = clean(strings.TrimSpace(kind), 40)
	return a, true
}

// shown replaces our own random UIDs in a path, for evidence that reads well.
func shown(path string) string {
	path, query, hasQuery := strings.Cut(path, "?")

	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "2.25.") || strings.HasPrefix(part, "collimator-") {
			parts[i] = "<random>"
		}
	}

	path = strings.Join(parts, "/")
	if !hasQuery {
		return path
	}

	var names []string
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	return path + "?" + strings.Join(names, "&")
}

// clone copies the facts of an answer and drops the body.
func (a webAnswer) keep(marks ...string) *finding.Page {
	p := a.page
	p.Marks = marks
	return &p
}
