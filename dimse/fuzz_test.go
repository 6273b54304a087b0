package dimse_test

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"collimator/dimse"
	"collimator/dimse/ul"
)

// FuzzAssociation feeds an established association of the acceptor.
func FuzzAssociation(f *testing.F) {
	f.Add(pdata(ul.PDV{ContextID: 1, Command: true, Last: true, Data: echoCommand(1)}))
	f.Add(append(pdata(ul.PDV{ContextID: 3, Command: true, Last: true, Data: storeCommand()}), pdata(ul.PDV{ContextID: 3, Last: true, Data: make([]byte, 20)})...))
	f.Add([]byte{5, 0, 0, 0, 0, 4, 0, 0, 0, 0})
	f.Add([]byte{7, 0, 0, 0, 0, 4, 0, 0, 2, 1})
	l := newPipeListener()
	s := echoServer()
	s.Limits = dimse.Limits{ConnectionRate: 1 << 30, Connections: 1 << 20, ConnectionsPerAddress: 1 << 20}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	f.Cleanup(func() { cancel(); <-ended })
	f.Fuzz(func(t *testing.T, b []byte) {
		c := l.dial()
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		associate(t, c)
		var reader sync.WaitGroup
		reader.Go(func() { io.Copy(io.Discard, c) })
		if _, err := c.Write(b); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the server stopped reading")
		}
		c.Close()
		reader.Wait()
		if s.Stats().Panics != 0 {
			t.Error("a panic")
		}
	})
}
