package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/ledger/ledgertest"
)

func openTrail(t *testing.T) (*db.DB, *audit.Trail) {
	t.Helper()
	log, d := ledgertest.Open(t)
	return d, audit.New(d, log, time.Now)
}

func write(t *testing.T, trail *audit.Trail, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		err := trail.Write(t.Context(), audit.Record{Event: audit.Query, Action: audit.Execute, Principal: "WS1", Reason: fmt.Sprint("number ", i)})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// readMessage takes one message off a connection by its octet count.
func readMessage(r *bufio.Reader) (string, error) {
	count, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil || n > 1<<16 {
		return "", fmt.Errorf("octet count %q", count)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

func TestSyslogMessagesHaveHeaderMarkAndLength(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 5e6, time.FixedZone("", 3600))
	b, err := audit.Syslog(audit.Record{Time: at, Event: audit.Query, Principal: "Zoë"}, audit.Origin{Host: "pacs 1\n", App: "collimator", Source: "ARCHIVE"})
	if err != nil {
		t.Fatal(err)
	}
	msg, err := readMessage(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	head, text, ok := strings.Cut(msg, "\xEF\xBB\xBF")
	if want := "<85>1 2026-11-23T11:00:00.005Z pacs1 collimator - DICOM+RFC3881 - "; !ok || head != want {
		t.Errorf("got %q, want %q", head, want)
	}
	var m struct {
		XMLName xml.Name `xml:"AuditMessage"`
		Who     []struct {
			ID string `xml:"UserID,attr"`
		} `xml:"ActiveParticipant"`
	}
	if err := xml.Unmarshal([]byte(text), &m); err != nil || m.Who[0].ID != "Zoë" {
		t.Errorf("%+v, %v", m, err)
	}
}

// collector is a repository that breaks connections after some messages.
type collector struct {
	mu       sync.Mutex
	received []string
	breakAt  []int // messages after which each connection ends; the last goes on
	refuse   int   // dials that fail first
	slow     time.Duration
	dials    int
}

func (c *collector) dial(context.Context) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dials++; c.dials <= c.refuse {
		return nil, errors.New("ZZPHI refused")
	}
	most := 1 << 30
	if len(c.breakAt) > 0 {
		most, c.breakAt = c.breakAt[0], c.breakAt[1:]
	}
	here, there := net.Pipe()
	go c.take(there, most)
	return here, nil
}

func (c *collector) take(conn net.Conn, most int) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for range most {
		time.Sleep(c.slow)
		msg, err := readMessage(r)
		if err != nil {
			return
		}
		_, rest, _ := strings.Cut(msg, "number ")
		c.mu.Lock()
		c.received = append(c.received, rest[:strings.IndexByte(rest, '<')])
		c.mu.Unlock()
	}
}

func (c *collector) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.received)
}

// Whoever ends every connection in the middle of a long backlog gets all of it
// all the same, and not its beginning for ever.
func TestABacklogGetsOnOverConnectionsThatBreakInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, trail := openTrail(t)
		const n = 600
		write(t, trail, 0, n)
		c := &collector{breakAt: []int{250, 250, 250, 250, 250, 250, 250, 250}, slow: 100 * time.Millisecond}
		p := &audit.Repository{Trail: trail, DB: d, Name: "audit.example:6514", Dial: c.dial, Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(10 * time.Minute)
		cancel()
		<-done
		if got := c.list(); !slices.Contains(got, strconv.Itoa(n-1)) || len(got) > 3*n {
			t.Errorf("%d messages came; the last one of the backlog among them: %v", len(got), slices.Contains(got, strconv.Itoa(n-1)))
		}
	})
}

func TestEveryRecordReachesTheRepositoryOverOutagesAndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, trail := openTrail(t)
		write(t, trail, 0, 20)
		var log bytes.Buffer
		c := &collector{refuse: 2, breakAt: []int{5, 9}}
		newRun := func() func() {
			ctx, stop := context.WithCancel(t.Context())
			p := &audit.Repository{Trail: trail, DB: d, Name: "audit.example.org:6514", Dial: c.dial, Log: slog.New(slog.NewTextHandler(&log, nil))}
			done := make(chan struct{})
			go func() { p.Run(ctx); close(done) }()
			return func() { stop(); <-done }
		}
		end := newRun()
		time.Sleep(10 * time.Minute)
		write(t, trail, 20, 25)
		time.Sleep(time.Minute)
		end()
		wantOnce(t, c.list(), 25)

		before := len(c.list())
		write(t, trail, 25, 30)
		end = newRun()
		time.Sleep(time.Minute)
		end()
		if got := c.list()[before:]; len(got) != 5 || got[0] != "25" {
			t.Errorf("after a restart it sent %v", got)
		}
		if strings.Contains(log.String(), "ZZPHI") {
			t.Error("the log quotes the peer")
		}
		d.Close()
	})
}

// wantOnce wants every number at least once, and in order on each connection.
func wantOnce(t *testing.T, got []string, n int) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range got {
		seen[s] = true
	}
	for i := range n {
		if !seen[strconv.Itoa(i)] {
			t.Errorf("record %d never came", i)
		}
	}
	if got[len(got)-1] != strconv.Itoa(n-1) {
		t.Errorf("the last is %s", got[len(got)-1])
	}
}

func TestFHIRResourcesHaveWhatAuditEventRequires(t *testing.T) {
	t.Parallel()
	b, err := audit.FHIR(audit.Record{
		Sequence: 7, Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Event: audit.Transferred, Action: audit.Create, Principal: "CT1",
		Peer: audit.Peer{Address: "127.0.0.1", CallingAETitle: "CT1"}, Objects: []audit.Object{{Study: "1.2.3", Patient: "ZZPHI-1", SOPClasses: map[string]int{"1.2.840.10008.5.1.4.1.1.2": 4}}},
	}, "ARCHIVE")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		ResourceType, Recorded, Outcome string
		Type                            struct{ Code, System string }
		Agent                           []struct {
			Requestor *bool
			Who       struct{ Identifier struct{ Value string } }
		}
		Source struct{ Observer struct{ Display string } }
		Entity []struct {
			Query string
			What  struct{ Identifier struct{ Value string } }
		}
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.ResourceType != "AuditEvent" || m.Type.Code != "110104" || m.Recorded != "2026-11-23T12:00:00Z" || m.Outcome != "0" || m.Source.Observer.Display != "ARCHIVE" ||
		len(m.Agent) != 2 || m.Agent[0].Requestor == nil || !*m.Agent[0].Requestor || m.Agent[0].Who.Identifier.Value != "CT1" ||
		len(m.Entity) != 2 || m.Entity[0].What.Identifier.Value != "urn:oid:1.2.3" || m.Entity[1].What.Identifier.Value != "ZZPHI-1" || bytes.ContainsRune(b, '\n') {
		t.Errorf("got %s", b)
	}
}
