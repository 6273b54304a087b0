package webapi

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"collimator/internal/fault"
)

// TakeOver is an answer that makes another protocol of the connection of HTTP/1.1 (RFC
// 9110 7.8). Request.Upgrade has to have allowed it.
type TakeOver struct {
	Protocol string
	// Serve has the connection from then on, and closes it. The request lasts until it
	// returns. Abandon is called in its place where the connection cannot be had.
	Serve   func(net.Conn)
	Abandon func()
}

var errUpgrade = fault.NewCode(fault.Invalid, "upgrade",
	"webapi: this address takes a request of HTTP/1.1 without a body that asks for its protocol by Connection: Upgrade and Upgrade; docs/api.md")

// Upgrade fails where the request does not ask for this protocol, and for it alone, in
// the one way that every proxy in between understands alike.
func (rq *Request) Upgrade(protocol string) error {
	r := rq.r
	asks := slices.Equal(r.Header.Values("Upgrade"), []string{protocol})
	bare := r.ContentLength == 0 && len(r.TransferEncoding) == 0
	if r.ProtoMajor != 1 || r.ProtoMinor != 1 || !asks || !bare || !listed(r.Header.Values("Connection"), "upgrade") {
		return errUpgrade
	}
	return nil
}

// listed reports whether a header of lists has a word (RFC 9110 5.6.1).
func listed(lines []string, word string) bool {
	for _, line := range lines {
		for _, item := range strings.Split(line, ",") {
			if strings.EqualFold(strings.TrimSpace(item), word) {
				return true
			}
		}
	}
	return false
}

func (t *TakeOver) size() int { return 0 }

// switchMost is how long the client may take for the answer that switches.
const switchMost = 10 * time.Second

func (t *TakeOver) send(w http.ResponseWriter) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Abandon()
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if err := t.answer(conn, rw, w.Header()); err != nil {
		conn.Close()
		t.Abandon()
		return
	}
	t.Serve(conn)
}

// answer switches. Whoever sent more before it knows that the protocol is another one
// now is not understood: it may have been meant as a request.
func (t *TakeOver) answer(conn net.Conn, rw *bufio.ReadWriter, header http.Header) error {
	if rw.Reader.Buffered() > 0 {
		return errUpgrade
	}
	if err := conn.SetDeadline(time.Now().Add(switchMost)); err != nil {
		return err
	}

	header = header.Clone()
	header.Set("Connection", "Upgrade")
	header.Set("Upgrade", t.Protocol)
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\n")
	if err := header.Write(rw); err != nil {
		return err
	}
	fmt.Fprint(rw, "\r\n")
	if err := rw.Flush(); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}
