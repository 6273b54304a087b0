package dimse_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

// bubble runs f with a server in fake time.
func bubble(t *testing.T, s *dimse.Server, f func(t *testing.T, l *pipeListener, refused *refusals)) {
	synctest.Test(t, func(t *testing.T) {
		l, refused := newPipeListener(), newRefusals()
		refused.ch = make(chan dimse.Refusal, 100)
		s.OnRefused = refused.add
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(ctx, l) }()
		f(t, l, refused)
		cancel()
		<-ended
	})
}

// readPDU reads one PDU of the server; nil at the end of the connection.
func readPDU(t *testing.T, c net.Conn) ul.PDU {
	t.Helper()
	head := make([]byte, 6)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil
	}
	body := make([]byte, binary.BigEndian.Uint32(head[2:]))
	if _, err := io.ReadFull(c, body); err != nil {
		return nil
	}
	p, err := ul.Decode(append(head, body...), ul.Limits{})
	if err != nil {
		t.Fatalf("the server sent what cannot be read: %v", err)
	}
	return p
}

func closedAfter(t *testing.T, c net.Conn, began time.Time) time.Duration {
	t.Helper()
	io.Copy(io.Discard, c)
	return time.Since(began)
}

func echoServer() *dimse.Server {
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(nil)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		if _, err := io.Copy(io.Discard, rq.Data); err != nil {
			return dimse.ProcessingFailure.Because(err)
		}
		return dimse.Status{}
	})
	return &dimse.Server{Admit: admitAll, Mux: mux}
}

// UL-01
func TestThreeBytesAndSilenceEndAfterARTIM(t *testing.T) {
	t.Parallel()
	bubble(t, echoServer(), func(t *testing.T, l *pipeListener, refused *refusals) {
		began := time.Now()
		c := l.dial()
		c.Write([]byte{1, 0, 0})
		other := l.dial() // is served meanwhile
		other.Write(requestPDU(t, nil))
		if _, ok := readPDU(t, other).(*ul.AssociateAC); !ok {
			t.Error("another peer was not served")
		}
		other.Close()
		if d := closedAfter(t, c, began); d != 10*time.Second {
			t.Errorf("closed after %v", d)
		}
		if r := <-refused.ch; r.Kind != dimse.RefusedTimeout {
			t.Errorf("reported %v", r.Kind)
		}
	})
}

// UL-02
func TestDrippingRequestEndsAfterARTIM(t *testing.T) {
	t.Parallel()
	bubble(t, echoServer(), func(t *testing.T, l *pipeListener, refused *refusals) {
		began := time.Now()
		c := l.dial()
		var drip sync.WaitGroup
		defer drip.Wait()
		drip.Go(func() {
			for _, b := range requestPDU(t, nil) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(3 * time.Second)
			}
		})
		if d := closedAfter(t, c, began); d != 10*time.Second {
			t.Errorf("closed after %v", d)
		}
	})
}

// associate opens an association by hand.
func associate(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write(requestPDU(t, nil)); err != nil {
		t.Fatal(err)
	}
	if p, ok := readPDU(t, c).(*ul.AssociateAC); !ok {
		t.Fatalf("no association: %+v", p)
	}
}

func pdata(values ...ul.PDV) []byte {
	b, _ := (&ul.PDataTF{Values: values}).AppendTo(nil)
	return b
}

func storeCommand() []byte {
	return (&dimse.Command{Operation: dimse.CStore, MessageID: 1, HasDataSet: true, AffectedSOPClassUID: ct, AffectedSOPInstanceUID: "1.2.3"}).AppendTo(nil)
}

func echoCommand(id uint16) []byte {
	return (&dimse.Command{Operation: dimse.CEcho, MessageID: id, AffectedSOPClassUID: uid.Verification}).AppendTo(nil)
}

// UL-02
func TestDrippingDataEndsAfterTheRateWindow(t *testing.T) {
	t.Parallel()
	bubble(t, echoServer(), func(t *testing.T, l *pipeListener, _ *refusals) {
		c := l.dial()
		associate(t, c)
		began := time.Now()
		var drip sync.WaitGroup
		defer drip.Wait()
		drip.Go(func() {
			c.Write(pdata(ul.PDV{ContextID: 3, Command: true, Last: true, Data: storeCommand()}))
			for {
				if _, err := c.Write(pdata(ul.PDV{ContextID: 3, Data: []byte{0, 0}})); err != nil {
					return
				}
				time.Sleep(9 * time.Second)
			}
		})
		p := readPDU(t, c)
		if a, ok := p.(ul.Abort); !ok || a.Source != ul.AbortServiceUser {
			t.Errorf("got %+v", p)
		}
		if d := time.Since(began); d < 59*time.Second || d > 61*time.Second {
			t.Errorf("aborted after %v", d)
		}
		c.Close()
	})
}

func TestIdleAssociationIsAborted(t *testing.T) {
	t.Parallel()
	bubble(t, echoServer(), func(t *testing.T, l *pipeListener, _ *refusals) {
		c := l.dial()
		associate(t, c)
		began := time.Now()
		if _, ok := readPDU(t, c).(ul.Abort); !ok || time.Since(began) != 10*time.Minute {
			t.Errorf("after %v", time.Since(began))
		}
		c.Close()
	})
}

func TestSlowHandlerIsNotHeldAgainstThePeer(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		time.Sleep(time.Hour)
		io.Copy(io.Discard, rq.Data)
		time.Sleep(time.Hour)
		return dimse.Status{}
	})
	bubble(t, &dimse.Server{Admit: admitAll, Mux: mux}, func(t *testing.T, l *pipeListener, _ *refusals) {
		a, err := dimse.Open(context.Background(), l.dial(), dimse.Config{CallingAETitle: "A", CalledAETitle: "B",
			Contexts: dimse.Propose([]string{ct}, []string{uid.ExplicitVRLittleEndian}, false), Limits: dimse.Limits{Response: 5 * time.Hour, Write: 5 * time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 500<<10))})
		if err != nil {
			t.Error(err)
		}
		if err := a.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// TestBreachesAreAborted plays what a peer may not send once it has an association:
// UL-03, UL-09, UL-10, DM-01, DM-12.
func TestBreachesAreAborted(t *testing.T) {
	t.Parallel()
	rawHeader := func(kind byte, n uint32) []byte {
		return binary.BigEndian.AppendUint32([]byte{kind, 0}, n)
	}
	command := func(id uint8, b []byte) ul.PDV { return ul.PDV{ContextID: id, Command: true, Last: true, Data: b} }
	lie := echoCommand(1)
	lie[8]++
	for name, c := range map[string]struct {
		send   []byte
		source ul.AbortSource
	}{
		"PDU of 4 GiB":                  {rawHeader(4, 0xFFFFFFFF), 2},
		"PDU longer than announced":     {rawHeader(4, 256<<10+1), 2},
		"PDU of no length":              {rawHeader(4, 0), 2},
		"PDU of one byte":               {append(rawHeader(4, 1), 0), 2},
		"unknown PDU":                   {rawHeader(0x42, 4), 2},
		"second request":                {requestPDU(t, nil), 2},
		"A-ASSOCIATE-AC":                {append(rawHeader(2, 4), 0, 0, 0, 0), 2},
		"context that was not accepted": {pdata(command(7, echoCommand(1))), 2},
		"item longer than the PDU":      {append(rawHeader(4, 6), 0, 0, 0, 99, 1, 3), 2},
		"data without command":          {pdata(ul.PDV{ContextID: 3, Data: []byte{1, 2}}), 0},
		"command in the middle of data": {append(pdata(command(3, storeCommand())), pdata(command(3, storeCommand()))...), 0},
		"data in another context":       {append(pdata(command(3, storeCommand())), pdata(ul.PDV{ContextID: 1, Data: []byte{1, 2}})...), 0},
		"command in two contexts":       {pdata(ul.PDV{ContextID: 1, Command: true, Data: []byte{1}}, ul.PDV{ContextID: 3, Command: true, Data: []byte{1}}), 0},
		"command of 128 KiB":            {pdata(ul.PDV{ContextID: 1, Command: true, Data: make([]byte, 128<<10)}), 0},
		"command without end":           {bytes.Repeat(pdata(ul.PDV{ContextID: 1, Command: true, Data: make([]byte, 1<<10)}), 70), 0},
		"empty fragments without end":   {bytes.Repeat(pdata(ul.PDV{ContextID: 1, Command: true}), 200), 2},
		"group length lies":             {pdata(command(1, lie)), 0},
		"response to nothing":           {pdata(command(1, (&dimse.Command{Operation: dimse.CEcho, Response: true, MessageID: 1}).AppendTo(nil))), 0},
		"flood of C-CANCEL":             {bytes.Repeat(pdata(command(1, (&dimse.Command{Operation: dimse.CCancel, MessageID: 1}).AppendTo(nil))), 200), 0},
		"release in a message":          {append(pdata(command(3, storeCommand())), 5, 0, 0, 0, 0, 4, 0, 0, 0, 0), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", serve(t, echoServer()))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			associate(t, conn)
			go conn.Write(c.send)
			p := readPDU(t, conn)
			if a, ok := p.(ul.Abort); !ok || a.Source != c.source {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// DM-12
func TestMoreOutstandingThanNegotiatedIsAborted(t *testing.T) {
	t.Parallel()
	block := make(chan struct{})
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleEcho(func(context.Context, *dimse.Association) dimse.Status { <-block; return dimse.Status{} })
	conn, err := net.Dial("tcp", serve(t, &dimse.Server{Admit: admitAll, Mux: mux}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	associate(t, conn)
	for i := range 2 {
		conn.Write(pdata(ul.PDV{ContextID: 1, Command: true, Last: true, Data: echoCommand(uint16(i + 1))}))
	}
	if p, ok := readPDU(t, conn).(ul.Abort); !ok {
		t.Errorf("got %+v", p)
	}
	close(block)
}

// UL-03, UL-04, UL-05, UL-07, UL-09: what comes in place of a request.
func TestBadRequestsAreRefused(t *testing.T) {
	t.Parallel()
	header := func(kind byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{kind, 0}, n) }
	overrun := requestPDU(t, nil)
	binary.BigEndian.PutUint16(overrun[74+2:], 0xFFFF) // length of the application context item
	blank := requestPDU(t, nil)
	copy(blank[10:], "                ")
	path := requestPDU(t, nil)
	copy(path[10:], "../x\\y          ")
	version := requestPDU(t, nil)
	version[7] = 2
	for name, c := range map[string]struct {
		send []byte
		want ul.PDU
		kind dimse.RefusalKind
	}{
		"request of 4 GiB":      {header(1, 0xFFFFFFFF), ul.Abort{}, dimse.RefusedMalformed},
		"request of one byte":   {append(header(1, 1), 0), ul.Abort{}, dimse.RefusedMalformed},
		"item past the end":     {overrun, ul.Abort{}, dimse.RefusedMalformed},
		"P-DATA first":          {append(header(4, 6), 0, 0, 0, 2, 1, 3), ul.Abort{}, dimse.RefusedMalformed},
		"A-RELEASE-RQ first":    {append(header(5, 4), 0, 0, 0, 0), ul.Abort{}, dimse.RefusedMalformed},
		"A-ABORT first":         {append(header(7, 4), 0, 0, 0, 0), nil, dimse.RefusedMalformed},
		"blank called AE title": {blank, ul.AssociateRJ{Result: 1, Source: 1, Reason: 1}, dimse.RefusedMalformed},
		"path as called title":  {path, ul.AssociateRJ{Result: 1, Source: 1, Reason: 1}, dimse.RefusedMalformed},
		"protocol version 2":    {version, ul.AssociateRJ{Result: 1, Source: 2, Reason: 2}, dimse.RefusedRejected},
		"application context":   {requestPDU(t, func(rq *ul.AssociateRQ) { rq.ApplicationContext = "1.2.3" }), ul.AssociateRJ{Result: 1, Source: 1, Reason: 2}, dimse.RefusedRejected},
		"maximum length of 1":   {requestPDU(t, func(rq *ul.AssociateRQ) { rq.User.MaxPDULength = 1 }), ul.AssociateRJ{Result: 1, Source: 1, Reason: 1}, dimse.RefusedRejected},
		"nothing acceptable": {requestPDU(t, func(rq *ul.AssociateRQ) {
			rq.Contexts = rq.Contexts[:1]
			rq.Contexts[0].TransferSyntaxes = []string{"1.2.3"}
		}), ul.AssociateRJ{Result: 1, Source: 1, Reason: 1}, dimse.RefusedRejected},
		"HTTP (UL-11)":        {[]byte("GET / HTTP/1.1\r\n\r\n"), nil, dimse.RefusedGarbage},
		"SSH (UL-11)":         {[]byte("SSH-2.0-x\r\n"), nil, dimse.RefusedGarbage},
		"TLS on a plain port": {[]byte{0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0}, nil, dimse.RefusedGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused := newRefusals()
			s := echoServer()
			s.OnRefused = refused.add
			conn, err := net.Dial("tcp", serve(t, s))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			conn.Write(c.send)
			if got := readPDU(t, conn); got != c.want {
				t.Errorf("answered %+v, want %+v", got, c.want)
			}
			if r := refused.next(t); r.Kind != c.kind || r.Err == nil {
				t.Errorf("reported %v: %v", r.Kind, r.Err)
			}
		})
	}
}

// UL-11
func TestPlainDICOMOnATLSPortIsRejectedAndReported(t *testing.T) {
	t.Parallel()
	refused := newRefusals()
	s := echoServer()
	s.OnRefused = refused.add
	s.TLSConfig, _ = tlsPair(t)
	addr := serve(t, s)
	_, err := dimse.Dial(context.Background(), addr, config(uid.Verification))
	var reject *dimse.RejectError
	if !errors.As(err, &reject) {
		t.Errorf("got %v", err)
	}
	r := refused.next(t)
	if r.Kind != dimse.RefusedPlaintext || r.Request == nil || r.Request.CallingAETitle != "TESTSCU" || !errors.Is(r.Err, dimse.ErrPlaintext) {
		t.Errorf("reported %v %+v", r.Kind, r.Request)
	}
	cfg := config(uid.Verification)
	cfg.TLSConfig = &tls.Config{InsecureSkipVerify: true} // no client certificate
	if _, err := dimse.Dial(context.Background(), addr, cfg); err == nil {
		t.Error("associated without a certificate")
	}
	if r := refused.next(t); r.Kind != dimse.RefusedTLS || r.TLS == nil {
		t.Errorf("reported %v", r.Kind)
	}
	conn, _ := net.Dial("tcp", addr)
	defer conn.Close()
	conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	if r := refused.next(t); r.Kind != dimse.RefusedGarbage {
		t.Errorf("reported %v", r.Kind)
	}
}

// UL-06
func TestConnectionsAreCapped(t *testing.T) {
	t.Parallel()
	refused := newRefusals()
	s := echoServer()
	s.OnRefused = refused.add
	s.Limits = dimse.Limits{ConnectionsPerAddress: 2}
	addr := serve(t, s)
	first, second := dial(t, addr, config(uid.Verification)), dial(t, addr, config(uid.Verification))
	if _, err := dimse.Dial(context.Background(), addr, config(uid.Verification)); err == nil {
		t.Error("a third connection was served")
	}
	if r := refused.next(t); r.Kind != dimse.RefusedCap {
		t.Errorf("reported %v", r.Kind)
	}
	first.Release(context.Background())
	for range 100 { // the place is free once the server has seen the end
		if a, err := dimse.Dial(context.Background(), addr, config(uid.Verification)); err == nil {
			a.Release(context.Background())
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := second.Echo(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestPanicEndsOneAssociationOnly(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := echoServer()
	s.Log = slog.New(slog.NewTextHandler(&lockedWriter{w: &log}, nil))
	s.Mux.HandleStore(func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
		rq.Data.Read(make([]byte, 10))
		panic("ZZPHI^PANIC")
	}, ct)
	addr := serve(t, s)
	bad, good := dial(t, addr, config(ct)), dial(t, addr, config(uid.Verification))
	_, err := bad.Store(context.Background(), dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2", TransferSyntax: uid.ExplicitVRLittleEndian, Data: bytes.NewReader(make([]byte, 1<<20))})
	if err == nil {
		t.Error("stored")
	}
	if err := good.Echo(context.Background()); err != nil {
		t.Errorf("the other association: %v", err)
	}
	if n := s.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted", n)
	}
	<-bad.Done()
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "ZZPHI") || !strings.Contains(log.String(), "panicked") {
		t.Error("the log tells too much or nothing")
	}
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestPeerThatDoesNotReadIsGivenUp(t *testing.T) {
	t.Parallel()
	var ended chan error
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleFind(func(ctx context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		for yield(dimse.Match{Identifier: rq.Identifier}) {
		}
		ended <- ctx.Err()
		return dimse.Status{}
	})
	bubble(t, &dimse.Server{Admit: admitAll, Mux: mux}, func(t *testing.T, l *pipeListener, _ *refusals) {
		ended = make(chan error, 1)
		c := l.dial()
		associate(t, c)
		began := time.Now()
		find := (&dimse.Command{Operation: dimse.CFind, MessageID: 1, HasDataSet: true, AffectedSOPClassUID: studyFind}).AppendTo(nil)
		c.Write(pdata(ul.PDV{ContextID: 5, Command: true, Last: true, Data: find}, ul.PDV{ContextID: 5, Last: true, Data: []byte{8, 0, 0x52, 0, 'C', 'S', 6, 0, 'S', 'T', 'U', 'D', 'Y', ' '}}))
		if err := <-ended; err == nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		c.Close()
	})
}
