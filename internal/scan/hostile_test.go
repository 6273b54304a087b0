package scan

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collimator/dimse/ul"
)

// hostile are services that try to hold, fill or mislead a scanner.
func hostile() map[string]func(net.Conn) {
	endless := func(chunk string) func(net.Conn) {
		b := bytes.Repeat([]byte(chunk), 64<<10/len(chunk))
		return func(c net.Conn) {
			for {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}
	}
	after := func(answer []byte) func(net.Conn) {
		return func(c net.Conn) {
			c.Read(make([]byte, 4096))
			c.Write(answer)
			io.Copy(io.Discard, c)
		}
	}
	reset := func(bytesFirst int) func(net.Conn) {
		return func(c net.Conn) {
			io.ReadFull(c, make([]byte, bytesFirst))
			c.(*net.TCPConn).SetLinger(0)
		}
	}
	drip := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			for i := 0; ; i++ {
				if _, err := c.Write([]byte{text[i%len(text)]}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	return map[string]func(net.Conn){
		"endless zeros":                  endless("\x00"),
		"endless text":                   endless("220 welcome "),
		"endless acceptances":            endless("\x02\x00\x00\x01\x00\x00"),
		"endless TLS records":            endless("\x16\x03\x03\x00\x04\x02\x00\xff\xff"),
		"endless header of HTTP":         after(append([]byte("HTTP/1.1 200 OK\r\nX: "), bytes.Repeat([]byte{'a'}, 4<<20)...)),
		"one byte at a time":             drip("HTTP/1.1 200 OK\r\n"),
		"one byte of a PDU at a time":    drip("\x02\x00\x00\x00\x40\x00\x00\x01"),
		"one byte of TLS at a time":      drip("\x16\x03\x03\x40\x00"),
		"a banner of 64 KiB":             after(bytes.Repeat([]byte{0xFF, 'B'}, 32<<10)),
		"an acceptance of 4 GiB":         after([]byte{2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1}),
		"a rejection of 4 GiB":           after([]byte{3, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1}),
		"a handshake that does not end":  after([]byte{0x16, 3, 3, 0, 4, 2, 0, 0xFF, 0xFF}),
		"an HTTP body that is not there": after([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nx")),
		"chunks of 4 GiB":                after([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nx")),
		"a reset at once":                reset(0),
		"a reset after one byte":         reset(1),
		"a reset in a header":            reset(6),
		"a reset after the question":     reset(60),
	}
}

func TestHostileServicesCostABoundedTimeAndMemory(t *testing.T) {
	t.Parallel()
	var open []*atomic.Int64
	n := 0
	for name, talk := range hostile() {
		n++
		for _, port := range []int{104, 443} {
			open = append(open, service(t, fmt.Sprintf("127.91.1.%d:%d", n, port), talk))
		}
		t.Logf("127.91.1.%d: %s", n, name)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	r := run(t, Options{Targets: targets(t, "127.91.1.0/27"), Ports: []uint16{104, 443}, NoHost: true, Timeout: 200 * time.Millisecond, Hosts: 18})
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if len(r.Hosts) != n {
		t.Errorf("%d hosts, want %d", len(r.Hosts), n)
	}
	if took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 256<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	for _, h := range r.Hosts {
		for _, s := range h.Facts.Services {
			if s.DICOM != nil || s.HL7 != nil {
				t.Errorf("%s:%d was taken for a service of imaging", h.Facts.Address, s.Port)
			}
		}
		if b, _ := json.Marshal(h); len(b) > 64<<10 {
			t.Errorf("%s left %d bytes", h.Facts.Address, len(b))
		}
	}
	t.Logf("%d services, %d connections, %s", len(open), r.Connections, took.Round(time.Millisecond))
}

// stages is an entity that ends the connection at the nth PDU after the first.
func stages(n int64, resets bool) func(net.Conn) {
	var seen atomic.Int64
	return func(c net.Conn) {
		for {
			pdu, err := nextPDU(c)
			if err != nil {
				return
			}
			if seen.Add(1) > n {
				if resets {
					c.(*net.TCPConn).SetLinger(0)
				}
				return
			}
			rq, ok := pdu.(*ul.AssociateRQ)
			if !ok {
				continue
			}
			ac := &ul.AssociateAC{CalledAETitle: rq.CalledAETitle, CallingAETitle: rq.CallingAETitle, User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3"}}
			for _, pc := range rq.Contexts {
				ac.Contexts = append(ac.Contexts, ul.AcceptedContext{ID: pc.ID, TransferSyntax: pc.TransferSyntaxes[0]})
			}
			b, err := ac.AppendTo(nil)
			if err != nil {
				return
			}
			c.Write(b)
		}
	}
}

func TestAnEntityThatEndsAtAnyStageIsNotPressed(t *testing.T) {
	t.Parallel()
	for n := range int64(12) {
		for i, resets := range []bool{false, true} {
			address := fmt.Sprintf("127.91.2.%d", 20*i+int(n)+1)
			service(t, address+":104", stages(n, resets))
			w := &watcher{}
			r := run(t, Options{Targets: targets(t, address+":104"), Dial: w.dial, Timeout: 200 * time.Millisecond})
			if len(r.Hosts) != 1 || w.total > 30 || w.most > 1 {
				t.Errorf("ends at %d, resets %v: %d hosts, %d connections, %d at a time", n, resets, len(r.Hosts), w.total, w.most)
			}
		}
	}
}

func TestCompressedBodiesAreNotUnpacked(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	block := make([]byte, 1<<20)
	for range 100 {
		z.Write(block)
	}
	z.Close()
	webService(t, "127.91.3.1:8080", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("%s asks for %s", r.URL.Path, r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		w.Write(bomb.Bytes())
	})
	r := run(t, Options{Targets: targets(t, "127.91.3.1:8080")})
	for name, p := range r.Hosts[0].Facts.Services[0].Web.Pages {
		if p.Length > maxBody {
			t.Errorf("%s: %d bytes were read", name, p.Length)
		}
	}
}

func TestRedirectsNeverLeadToAnotherAddressOrPort(t *testing.T) {
	t.Parallel()
	for i, location := range []string{
		"http://127.91.4.99:8080/", "https://127.91.4.99/", "//127.91.4.99:8080/x", "http://8.8.8.8/", "http://169.254.169.254/latest/meta-data/", "http://[::ffff:8.8.8.8]/",
		"http://ADDRESS:9999/x", "https://ADDRESS:8080/x", "http://user@ADDRESS:8080/x", "http://ADDRESS:8080@127.91.4.99/", "ftp://ADDRESS:8080/", "\\\\127.91.4.99\\x", "http://localhost:8080/x",
	} {
		address := fmt.Sprintf("127.91.4.%d", i+1)
		location = strings.ReplaceAll(location, "ADDRESS", address)
		webService(t, address+":8080", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		})
		w := &watcher{}
		dial := func(ctx context.Context, network, to string) (net.Conn, error) {
			if to != address+":8080" {
				t.Errorf("%s led to %s", location, to)
			}
			return w.dial(ctx, network, to)
		}
		r := run(t, Options{Targets: targets(t, address+":8080"), Dial: dial})
		if len(r.Hosts) != 1 {
			t.Errorf("%s: %d hosts", location, len(r.Hosts))
		}
	}
}

func TestThePageToWhichTheRootLeadsIsJudged(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		location string
		policy   bool
		want     bool
	}{{"app/explorer.html", false, true}, {"http://127.91.5.2:8080/app/explorer.html?name=x", false, true}, {"/app/explorer.html", true, false}, {"http://127.91.4.99/", false, false}} {
		address := fmt.Sprintf("127.91.5.%d", i+1)
		webService(t, address+":8080", func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.String() {
			case "/":
				w.Header().Set("Location", c.location)
				w.WriteHeader(http.StatusMovedPermanently)
			case "/app/explorer.html":
				if c.policy {
					w.Header().Set("Content-Security-Policy", "default-src 'self'")
					w.Header().Set("X-Content-Type-Options", "nosniff")
				}
				io.WriteString(w, "<title>Orthanc Explorer</title>")
			default:
				http.NotFound(w, r)
			}
		})
		issues := issuesOf(t, Options{}, address+":8080")
		if _, found := issues["WEB-014"]; found != c.want {
			t.Errorf("%s: WEB-014 %v, want %v", c.location, found, c.want)
		}
	}
}

// evil is what a peer may say of itself to harm who reads the report.
const evil = "\x1b[2J\x1b]0;owned\x07=HYPERLINK(\"http://127.91.6.9\")<script>alert(1)</script>\r\n\u202E@SUM(A1)"

func TestWhatPeersSayIsHarmlessInFacts(t *testing.T) {
	t.Parallel()
	service(t, "127.91.6.1:21", func(c net.Conn) { io.WriteString(c, "220 "+evil+"\r\n"); io.Copy(io.Discard, c) })
	service(t, "127.91.6.1:22", func(c net.Conn) { io.WriteString(c, "SSH-2.0-"+evil+"\r\n"); io.Copy(io.Discard, c) })
	service(t, "127.91.6.1:104", func(c net.Conn) { entityNamed(c, "=CMD|'/C'!A0\x1b[m") })
	service(t, "127.91.6.1:80", func(c net.Conn) {
		c.Read(make([]byte, 4096))
		fmt.Fprintf(c, "HTTP/1.1 401 \x1b[31mno\r\nServer: \xc2\x9b2J=1+1<b>\r\nWWW-Authenticate: Basic realm=\"\xe2\x80\xae<script>\"\r\nContent-Type: text/\xc2\x85x\r\nContent-Length: 0\r\n\r\n")
	})
	r := run(t, Options{Targets: targets(t, "127.91.6.1"), Timeout: 300 * time.Millisecond})
	if len(r.Hosts) != 1 || len(r.Hosts[0].Facts.Services) < 4 {
		b, _ := json.Marshal(r.Hosts)
		t.Fatalf("%s", b)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Hosts[0].Facts.Services[3].DICOM; d == nil || !d.RandomCalled.Accepted() || d.VersionName != "=CMD|'/C'!A0?[m" {
		t.Errorf("an acceptance with a wrong name was missed: %+v", d)
	}
	for _, no := range []string{`\u001b`, `\u0007`, `\u202e`, "\u202e", `\u0085`} {
		if bytes.Contains(bytes.ToLower(b), []byte(no)) {
			t.Errorf("the result holds %q", no)
		}
	}
}

// entityNamed accepts everything under an implementation version name.
func entityNamed(c net.Conn, name string) {
	for {
		pdu, err := nextPDU(c)
		if err != nil {
			return
		}
		rq, ok := pdu.(*ul.AssociateRQ)
		if !ok {
			return
		}
		ac := &ul.AssociateAC{CalledAETitle: rq.CalledAETitle, CallingAETitle: rq.CallingAETitle, User: ul.UserInformation{ImplementationClassUID: "1.2.3", ImplementationVersionName: strings.Repeat("X", len(name))}}
		for _, pc := range rq.Contexts {
			ac.Contexts = append(ac.Contexts, ul.AcceptedContext{ID: pc.ID, Result: ul.AbstractSyntaxNotSupported, TransferSyntax: pc.TransferSyntaxes[0]})
		}
		b, err := ac.AppendTo(nil)
		if err != nil {
			return
		}
		c.Write(bytes.Replace(b, bytes.Repeat([]byte{'X'}, len(name)), []byte(name), 1))
	}
}
