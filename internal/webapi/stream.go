package webapi

import (
	"mime"
	"net/http"
	"time"
)

// Stream is an answer that goes on: what it sends arrives at once. The request lasts until Run
// returns, which it does soon after the context of the request has ended.
type Stream struct {
	Type string // media type
	Name string // of the file, ASCII, where browsers are to save it; else empty
	// Run sends pieces; an error of send ends it.
	Run func(send func(piece []byte) error)
}

func (s *Stream) size() int { return 0 }

// Abort is what Run panics with where it cannot go on: the answer is cut off, and whoever reads it
// learns that it is not whole.
var Abort = http.ErrAbortHandler

// pieceMost is how long a client may take for a piece.
const pieceMost = 30 * time.Second

func (s *Stream) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", s.Type)
	w.Header().Set("Cache-Control", "no-store")
	if s.Name != "" {
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": s.Name}))
	}
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
