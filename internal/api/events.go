package api

import (
	"encoding/json"
	"fmt"

	"collimator/internal/fault"
	"collimator/internal/webapi"
)

// events are server-sent events: which topics have changed, of those the caller may ask for.
// Who comes back after a while reloads what is shown: "listening" comes first, always.
func (s *Services) events(rq *webapi.Request) (any, error) {
	wants := map[string]bool{}
	for _, verb := range s.May(rq.Caller()) {
		for topic, needs := range topics {
			if needs == verb {
				wants[topic] = true
			}
		}
	}
	if len(wants) == 0 || rq.Caller().Share() != nil {
		return nil, fault.New(fault.Denied, "api: there is nothing of which you may be told")
	}

	leave, err := s.Bell.place(rq.Person().Name)
	if err != nil {
		return nil, err
	}
	return &webapi.Stream{Type: "text/event-stream", Run: func(send func([]byte) error) {
		defer leave()
		if send([]byte("retry: 3000\nevent: listening\ndata: []\n\n")) != nil {
			return
		}
		err := s.Bell.Listen(rq.Context(), wants, func(rung []string) error {
			if len(rung) == 0 {
				return send([]byte(": \n\n"))
			}
			b, err := json.Marshal(rung)
			if err != nil {
				return err
			}
			return send(fmt.Appendf(nil, "event: changed\ndata: %s\n\n", b))
		})
		if err != nil && rq.Context().Err() == nil {
			s.Log.Debug("a browser is not told of changes any more", "error", err)
		}
	}}, nil
}
