package maintenance

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/internal/audit"
)

// inside is a live door in a bubble of fake time, with a target at the other end.
func inside(t *testing.T, minutes int) (l *live, client, target net.Conn, records *[]audit.Record) {
	t.Helper()
	records = &[]audit.Record{}
	keep := func(_ context.Context, r audit.Record) { *records = append(*records, r) }
	d := New(Options{Keep: keep})
	l = &live{doors: d, over: make(chan struct{}), heard: time.Now(), look: func() string { return "" }, done: func(*live) {}}
	l.door = Door{Number: 3, Person: "acme", Until: time.Now().Add(time.Duration(minutes) * time.Minute)}
	l.begin()

	near, far := net.Pipe()
	mine, theirs := net.Pipe()
	v := Visitor{Entry: func(event audit.Event, action audit.Action, outcome audit.Outcome, reason string) audit.Record {
		return audit.Record{Event: event, Action: action, Outcome: outcome, Reason: reason}
	}}
	c := &Connection{live: l, visitor: v, target: near, began: time.Now()}
	go c.Carry(theirs)
	return l, mine, far, records
}

func TestADoorEndsAtItsTimeToTheSecondWhateverFlows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, client, target, records := inside(t, 60)
		start := time.Now()
		go l.run()
		go io.Copy(io.Discard, target)

		var err error
		for err == nil { // a viewer that never rests
			_, err = client.Write([]byte("x"))
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(start); took < time.Hour || took > time.Hour+time.Second {
			t.Errorf("it carried for %s", took)
		}
		synctest.Wait()
		if l.why != "its time is over" || len(*records) != 1 || !strings.Contains((*records)[0].Objects[0].Detail, " in 1h0m0s; its time is over") {
			t.Errorf("%q, %+v", l.why, *records)
		}
	})
}

func TestAConnectionThatCarriesNothingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, client, _, records := inside(t, 400)
		start := time.Now()
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Error("something came")
		}
		if took := time.Since(start); took != idleMost {
			t.Errorf("after %s", took)
		}
		synctest.Wait()
		if l.ended() || !strings.Contains((*records)[0].Objects[0].Detail, "nothing was carried for 30m0s") {
			t.Errorf("the door is over with it, or %+v", *records)
		}
	})
}

// A client that never reads holds two pieces, and gives them back when the door ends.
func TestAClientThatNeverReadsHoldsNothingAndEndsWithTheDoor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _, target, records := inside(t, 1)
		go l.run()
		written := 0
		for {
			target.SetWriteDeadline(time.Now().Add(2 * time.Minute))
			n, err := target.Write(make([]byte, 1<<10))
			written += n
			if err != nil {
				break
			}
		}
		synctest.Wait()
		if written > 2*pieceSize || len(*records) != 1 || l.why != "its time is over" {
			t.Errorf("%d bytes were taken, %q, %+v", written, l.why, *records)
		}
	})
}

// lingering is a client whose end waits for it, as that of TLS does for a while, and
// that sends all the time.
type lingering struct {
	net.Conn
	ended chan struct{}
}

func (l *lingering) Close() error {
	select {
	case <-l.ended:
	case <-time.After(5 * time.Second):
	}
	return l.Conn.Close()
}

// What a door carries ends with it, though the client does not take that it ends.
func TestAClientThatDoesNotTakeTheEndReachesTheTargetNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, theirs := net.Pipe()
		near, target := net.Pipe()
		l := &lingering{theirs, make(chan struct{})}
		defer close(l.ended)
		over := make(chan struct{})
		go Carry(l, near, over, idleMost)
		go func() {
			for {
				if _, err := client.Write([]byte("x")); err != nil {
					return
				}
			}
		}()
		var last time.Time
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				if _, err := target.Read(make([]byte, 1)); err != nil {
					return
				}
				last = time.Now()
				time.Sleep(10 * time.Millisecond)
			}
		}()
		time.Sleep(time.Second)
		end := time.Now()
		close(over)
		<-done
		if late := last.Sub(end); late > 100*time.Millisecond {
			t.Errorf("the target was reached for %s after the end", late)
		}
	})
}

// pair is two ends of TCP.
func pair(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close(); in.Close() })
	return out.(*net.TCPConn), in.(*net.TCPConn)
}

func TestTheEndOfOneSideIsPassedOnAndTheOtherStillSends(t *testing.T) {
	t.Parallel()
	client, near := pair(t)
	far, target := pair(t)
	type outcome struct {
		Traffic
		why string
	}
	done := make(chan outcome, 1)
	go func() {
		traffic, why := Carry(near, far, nil, time.Minute)
		done <- outcome{traffic, why}
	}()

	client.Write([]byte("question"))
	client.CloseWrite()
	if b, err := io.ReadAll(target); err != nil || string(b) != "question" {
		t.Errorf("the target has %q, %v", b, err)
	}
	answer := bytes.Repeat([]byte("answer"), 1<<20)
	go func() { target.Write(answer); target.Close() }()
	if b, err := io.ReadAll(client); err != nil || !bytes.Equal(b, answer) {
		t.Errorf("the client has %d bytes, %v", len(b), err)
	}
	if o := <-done; o.ToTarget != 8 || o.FromTarget != int64(len(answer)) || o.why != "both sides ended" {
		t.Errorf("%+v", o)
	}
}
