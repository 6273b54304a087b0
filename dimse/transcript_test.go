package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

var update = flag.Bool("update", false, "rewrite testdata")

// TestAssociationTranscripts plays whole associations in fake time. "> " lines are what
// the scripted peer sends, "call" lines what our requestor is asked to do; "< " and "= "
// lines are what comes of it.
func TestAssociationTranscripts(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, string(script), strings.HasPrefix(filepath.Base(path), "acceptor")) })
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(script) {
				t.Errorf("differs; run with -update and read the diff\n%s", got)
			}
		})
	}
}

// stage is one connection between our side and the script.
type stage struct {
	t    *testing.T
	peer net.Conn
	mu   sync.Mutex
	out  bytes.Buffer // finished lines
	ends bytes.Buffer // results since the last input: after what was sent, whichever came first
	a    *dimse.Association
}

func (s *stage) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(format, "=") {
		fmt.Fprintf(&s.ends, format+"\n", args...)
		return
	}
	fmt.Fprintf(&s.out, format+"\n", args...)
}

// settle waits until nothing moves any more and puts the results behind the rest.
func (s *stage) settle() {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends.WriteTo(&s.out)
}

func play(t *testing.T, script string, acceptor bool) string {
	s := &stage{t: t}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	var ours net.Conn
	if acceptor {
		l := newPipeListener()
		server := transcriptServer()
		server.OnRefused = func(r dimse.Refusal) { s.say("= refused: %s", r.Kind) }
		wg.Go(func() { server.Serve(ctx, l) })
		s.peer = l.dial()
	} else {
		s.peer, ours = net.Pipe()
	}
	wg.Go(func() { s.listen() })
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "<", "=":
			continue
		case ">":
			s.say("%s", line)
			s.peer.Write(s.pdu(rest))
		case "sleep":
			s.say("%s", line)
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		case "close":
			s.say("%s", line)
			s.peer.Close()
		case "call":
			s.say("%s", line)
			wg.Go(func() { s.call(rest, ours) })
		default:
			s.say("%s", line)
		}
		s.settle()
	}
	cancel()
	s.peer.Close()
	wg.Wait()
	s.settle()
	return s.out.String()
}

// transcriptServer answers C-ECHO, C-STORE and C-FIND with two matches.
func transcriptServer() *dimse.Server {
	s := echoServer()
	s.Mux.HandleFind(func(ctx context.Context, _ *dimse.Association, rq *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		if rq.Identifier.Text(tag.QueryRetrieveLevel) == "WAIT" {
			<-ctx.Done()
		}
		for range 2 {
			if !yield(dimse.Match{Identifier: rq.Identifier}) {
				break
			}
		}
		return dimse.Status{}
	})
	return s
}

// listen writes down what our side sends.
func (s *stage) listen() {
	for {
		p := readPDU(s.t, s.peer)
		if p == nil {
			s.say("< end of connection")
			return
		}
		data, ok := p.(*ul.PDataTF)
		if !ok {
			s.say("< %s", describe(p))
			continue
		}
		for _, v := range data.Values {
			s.say("< P-DATA-TF context %d, %s", v.ContextID, describeValue(v))
		}
	}
}

func describe(p ul.PDU) string {
	switch p := p.(type) {
	case *ul.AssociateRQ:
		return fmt.Sprintf("A-ASSOCIATE-RQ called %s, calling %s, %d contexts, maximum length %d", p.CalledAETitle, p.CallingAETitle, len(p.Contexts), p.User.MaxPDULength)
	case *ul.AssociateAC:
		var c []string
		for _, pc := range p.Contexts {
			c = append(c, fmt.Sprintf("%d %s", pc.ID, pc.Result))
		}
		return "A-ASSOCIATE-AC " + strings.Join(c, ", ")
	case ul.AssociateRJ:
		return fmt.Sprintf("A-ASSOCIATE-RJ %s, %s, %s", p.Result, p.Source, p.ReasonText())
	case ul.Abort:
		return fmt.Sprintf("A-ABORT %s, %s", p.Source, p.Reason)
	}
	return p.Type().String()
}

func describeValue(v ul.PDV) string {
	if !v.Command {
		return fmt.Sprintf("%d bytes of data, last %v", len(v.Data), v.Last)
	}
	cmd, err := dimse.DecodeCommand(v.Data)
	switch {
	case err != nil:
		return err.Error()
	case cmd.Response:
		return fmt.Sprintf("%s-RSP %d, %s", cmd.Operation, cmd.MessageID, cmd.Status)
	}
	return fmt.Sprintf("%s-RQ %d", cmd.Operation, cmd.MessageID)
}

// pdu is what the script sends: a PDU by its name, or a message.
func (s *stage) pdu(text string) []byte {
	var p ul.PDU
	switch text {
	case "A-ASSOCIATE-RQ":
		return requestPDU(s.t, nil)
	case "A-ASSOCIATE-AC":
		p = &ul.AssociateAC{CalledAETitle: "B", CallingAETitle: "A", Contexts: []ul.AcceptedContext{
			{ID: 1, TransferSyntax: uid.ExplicitVRLittleEndian}, {ID: 3, TransferSyntax: uid.ExplicitVRLittleEndian}, {ID: 5, TransferSyntax: uid.ExplicitVRLittleEndian}},
			User: ul.UserInformation{MaxPDULength: 1024}}
	case "A-ASSOCIATE-AC with a context that was not proposed":
		p = &ul.AssociateAC{Contexts: []ul.AcceptedContext{{ID: 99, TransferSyntax: uid.ExplicitVRLittleEndian}}}
	case "A-ASSOCIATE-RJ":
		p = ul.AssociateRJ{Result: ul.RejectedTransient, Source: ul.RejectServiceProviderPresentation, Reason: ul.PresentationTemporaryCongestion}
	case "A-RELEASE-RQ":
		p = ul.ReleaseRQ{}
	case "A-RELEASE-RP":
		p = ul.ReleaseRP{}
	case "A-ABORT":
		p = ul.Abort{Source: ul.AbortServiceProvider, Reason: ul.ReasonInvalidPDUParameter}
	default:
		return s.message(text)
	}
	b, err := p.AppendTo(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// message is "C-ECHO-RQ id" or "C-ECHO-RSP id status", with a data set where it takes one.
func (s *stage) message(text string) []byte {
	var name string
	var id uint16
	var status dimse.StatusCode
	fmt.Sscanf(text, "%s %d %x", &name, &id, &status)
	op, response := strings.CutSuffix(name, "-RSP")
	op = strings.TrimSuffix(op, "-RQ")
	c := &dimse.Command{Response: response, MessageID: id, Status: status, AffectedSOPInstanceUID: "1.2.3"}
	pc := uint8(1)
	var data []byte
	switch op {
	case "C-ECHO":
		c.Operation, c.AffectedSOPClassUID = dimse.CEcho, uid.Verification
	case "C-STORE":
		c.Operation, c.AffectedSOPClassUID, pc = dimse.CStore, ct, 3
		data = make([]byte, 1000)
	case "C-FIND", "C-FIND-WAIT":
		c.Operation, c.AffectedSOPClassUID, pc = dimse.CFind, studyFind, 5
		data = []byte{8, 0, 0x52, 0, 'C', 'S', 6, 0, 'S', 'T', 'U', 'D', 'Y', ' '}
		if op == "C-FIND-WAIT" {
			data = []byte{8, 0, 0x52, 0, 'C', 'S', 4, 0, 'W', 'A', 'I', 'T'}
		}
	case "C-CANCEL":
		c.Operation, pc = dimse.CCancel, 5
	default:
		s.t.Fatalf("script: %q", text)
	}
	c.HasDataSet = data != nil && (!response || op == "C-FIND" && status == dimse.Pending)
	values := []ul.PDV{{ContextID: pc, Command: true, Last: true, Data: c.AppendTo(nil)}}
	if c.HasDataSet {
		values = append(values, ul.PDV{ContextID: pc, Last: true, Data: data})
	}
	return pdata(values...)
}

// call makes our requestor do something and writes down how it ended.
func (s *stage) call(what string, ours net.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	var err error
	switch what {
	case "associate":
		s.a, err = dimse.Open(ctx, ours, dimse.Config{CallingAETitle: "A", CalledAETitle: "B",
			Contexts: dimse.Propose([]string{uid.Verification, ct, studyFind}, []string{uid.ExplicitVRLittleEndian}, false)})
	case "echo":
		err = s.a.Echo(ctx)
	case "store":
		_, err = s.a.Store(ctx, dimse.StoreRequest{SOPClassUID: ct, SOPInstanceUID: "1.2.3", TransferSyntax: uid.ExplicitVRLittleEndian, Data: io.LimitReader(zeros{}, 3000)})
	case "find", "find one":
		n := 0
		for _, ferr := range s.a.Find(ctx, dimse.FindRequest{SOPClassUID: studyFind, Identifier: level()}) {
			if err = ferr; err == nil {
				n++
			}
			if what == "find one" {
				break
			}
		}
		s.say("= %d matches", n)
	case "release":
		err = s.a.Release(ctx)
	case "abort":
		s.a.Abort()
	default:
		s.t.Errorf("script: call %q", what)
	}
	if errors.Is(err, dimse.ErrClosed) {
		err = dimse.ErrClosed
	}
	s.say("= %s: %v", what, err)
}

func level() *dicom.DataSet {
	ds := dicom.NewDataSet()
	ds.SetText(tag.QueryRetrieveLevel, "STUDY")
	return ds
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
