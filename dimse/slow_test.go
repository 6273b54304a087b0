package dimse_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
)

// sips reads a few bytes now and then.
type sips struct {
	r     io.Reader
	n     int
	pause time.Duration
}

// Read implements io.Reader.
func (s sips) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.r.Read(p[:min(len(p), s.n)])
}

// A peer that takes a few bytes each minute would keep whoever sends to it for years.
func TestAPeerThatTakesNextToNothingIsCutOff(t *testing.T) {
	t.Parallel()
	s := echoServer()
	ended := make(chan error, 1)
	s.Mux.HandleFind(func(_ context.Context, _ *dimse.Association, _ *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		for yield(dimse.Match{Identifier: studyQuery()}) {
		}
		ended <- nil
		return dimse.Status{}
	})
	bubble(t, s, func(t *testing.T, l *pipeListener, _ *refusals) {
		c := l.dial()
		c.Write(requestPDU(t, nil))
		readPDU(t, c)
		began := time.Now()
		go c.Write(findMessage(t))
		io.Copy(io.Discard, sips{c, 10, time.Second})
		<-ended
		if d := time.Since(began); d > 3*time.Minute {
			t.Errorf("served for %v", d)
		}
	})
}

// findMessage is a C-FIND request in context 5.
func findMessage(t *testing.T) []byte {
	t.Helper()
	cmd := &dimse.Command{Operation: dimse.CFind, MessageID: 1, AffectedSOPClassUID: studyFind, HasDataSet: true}
	var keys bytes.Buffer
	if err := dicom.Encode(&keys, studyQuery(), uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	return pdata(
		ul.PDV{ContextID: 5, Command: true, Last: true, Data: cmd.AppendTo(nil)},
		ul.PDV{ContextID: 5, Last: true, Data: keys.Bytes()})
}

func TestAReplyLongerThanTheLimitEndsTheAssociation(t *testing.T) {
	t.Parallel()
	mux := dimse.NewMux(dimse.Unguarded)
	mux.HandleFind(func(_ context.Context, _ *dimse.Association, _ *dimse.FindRequest, yield func(dimse.Match) bool) dimse.Status {
		yield(dimse.Match{Identifier: studyQuery()})
		return dimse.Status{}
	})
	address := serve(t, &dimse.Server{Admit: admitAll, Mux: mux})
	for most, want := range map[int64]int{0: 1, 1000: 1, 20: 0} {
		cfg := config(studyFind)
		cfg.Limits.Reply = most
		a := dial(t, address, cfg)
		n := 0
		for _, err := range a.Find(t.Context(), dimse.FindRequest{SOPClassUID: studyFind, Identifier: studyQuery()}) {
			if err == nil {
				n++
			} else if want > 0 || !errors.As(err, new(*dimse.AbortError)) {
				t.Errorf("at most %d bytes: %v", most, err)
			}
		}
		if n != want {
			t.Errorf("at most %d bytes: %d matches, want %d", most, n, want)
		}
	}
}
