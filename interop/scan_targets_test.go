//go:build interop

package interop_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// strangers are 20 services that are not DICOM, each a function that talks to
// one connection.
func strangers() []func(net.Conn) {
	greet := func(s string) func(net.Conn) {
		return func(c net.Conn) {
			io.WriteString(c, s)
			io.Copy(io.Discard, c)
		}
	}
	after := func(answer string) func(net.Conn) {
		return func(c net.Conn) {
			c.Read(make([]byte, 4096))
			io.WriteString(c, answer)
		}
	}
	return []func(net.Conn){
		greet("SSH-2.0-OpenSSH_9.2\r\n"),
		greet("220 files ready\r\n"),
		greet("220 mail ESMTP\r\n"),
		greet("+OK POP3\r\n"),
		greet("* OK IMAP4rev1\r\n"),
		after("-ERR unknown command\r\n"),
		func(c net.Conn) { io.Copy(c, c) },          // echo
		func(c net.Conn) { io.Copy(io.Discard, c) }, // silent
		chatty,
		slow,
		web(http.StatusNotFound, nil),
		web(http.StatusUnauthorized, http.Header{"Www-Authenticate": {`Basic realm="pump"`}}),
		web(http.StatusOK, http.Header{"Content-Type": {"text/html"}}),
		greet("\x4A\x00\x00\x00\x0A8.0.36\x00\x08\x00\x00\x00abcdefgh\x00"),
		greet("\xFF\xFD\x18\xFF\xFD\x20\r\nlogin: "),
		func(net.Conn) {}, // closes at once
		func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) },     // resets
		after("\x02\x00\x00\x00"),                              // begins like an acceptance
		after("\x03\x00\x00\x00\x00\x04"),                      // begins like a rejection
		after("\x16\x03\x01\x00\x04nope this is no handshake"), // begins like TLS
	}
}

func chatty(c net.Conn) {
	for {
		if _, err := c.Write([]byte("tick tock tick tock\r\n")); err != nil {
			return
		}
	}
}

func slow(c net.Conn) {
	for range 20 {
		if _, err := c.Write([]byte{'.'}); err != nil {
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// web answers each request alike.
func web(status int, header http.Header) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			return
		}
		body := "<html><title>pump</title></html>"
		fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nContent-Length: %d\r\nConnection: close\r\n", status, http.StatusText(status), len(body))
		header.Write(c)
		io.WriteString(c, "\r\n"+body)
	}
}

// serve runs a service at an address until the test ends.
func serve(t *testing.T, address string, talk func(net.Conn)) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(30 * time.Second))
				talk(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
}
