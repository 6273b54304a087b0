package webapi

import (
	"net/http"
	"time"
)

// Stream is an answer that goes on: what it sends arrives at once. The request lasts until Run
// returns, which it does soon after the context of the request has ended.
type Stream struct {
	Type string // media type
	// Run sends pieces; an error of send ends it.
	Run func(send func(piece []byte) error)
}

func (s *Stream) size() int { return 0 }

// pieceMost is how long a client may take for a piece.
const pieceMost = 30 * time.Second

func (s *Stream) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", s.Type)
	w.Header().Set("Cache-Control", "no-store")
	c := http.NewResponseController(w)
	s.Run(func(piece []byte) error {
		if err := c.SetWriteDeadline(time.Now().Add(pieceMost)); err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		return c.Flush()
	})
}
