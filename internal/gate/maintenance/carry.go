package maintenance

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// pieceSize is how much is held each way while a connection is carried, in bytes.
const pieceSize = 32 << 10

// carrying is one connection on its way.
type carrying struct {
	client, target net.Conn
	idle           *time.Timer
	idleFor        time.Duration

	mu    sync.Mutex
	ended bool
	why   string // why it ends; the first one counts
}

// Carry carries bytes both ways until both sides have ended, one of them has failed,
// nothing was carried for as long as idle, or over is closed. It closes both sides.
// Memory is two pieces: who does not read is not read for. why is empty where over was
// closed.
func Carry(client, target net.Conn, over <-chan struct{}, idle time.Duration) (t Traffic, why string) {
	c := &carrying{client: client, target: target, idleFor: idle}
	c.idle = time.AfterFunc(idle, func() { c.end("nothing was carried for " + idle.String()) })
	defer c.idle.Stop()

	done := make(chan struct{})
	var watch, ways sync.WaitGroup
	watch.Go(func() {
		select {
		case <-over:
			c.end("")
		case <-done:
		}
	})

	ways.Go(func() { t.ToTarget = c.copy(target, client, "the client failed", "the target failed") })
	ways.Go(func() { t.FromTarget = c.copy(client, target, "the target failed", "the client failed") })
	ways.Wait()
	close(done)
	watch.Wait()

	c.end("both sides ended")
	return t, c.why
}

// end closes both sides: first the target, because the end of TLS waits for a client
// that does not take it, which could go on sending meanwhile.
func (c *carrying) end(why string) {
	if !c.over(why) {
		return
	}
	c.target.Close()
	c.client.Close()
}

// over takes down why it ends; false where it has ended before.
func (c *carrying) over(why string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.ended = true
	c.why = why
	return true
}

// copy carries one way. The end of one side is passed on, and the other may still send.
func (c *carrying) copy(to, from net.Conn, readFailed, writeFailed string) (n int64) {
	piece := make([]byte, pieceSize)
	for {
		read, err := from.Read(piece)
		if read > 0 {
			c.idle.Reset(c.idleFor)
			written, failed := to.Write(piece[:read])
			n += int64(written)
			if failed != nil {
				c.end(writeFailed)
				return n
			}
			c.idle.Reset(c.idleFor)
		}

		switch {
		case errors.Is(err, io.EOF):
			if half, ok := to.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
				c.end("one side ended")
			}
			return n
		case err != nil:
			c.end(readFailed)
			return n
		}
	}
}
