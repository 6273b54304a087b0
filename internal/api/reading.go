package api

import (
	"strings"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/webapi"
)

// Somebody who pages on, or whose console asks again, is still reading the same.
const (
	readingLasts = 10 * time.Minute // then it is recorded again, even while it goes on
	readingsMost = 1024             // remembered at once: when there are more, all are forgotten
)

// readings remembers who is reading which part of the trail, so that a reading is
// recorded once and not for each of its pages. Safe for concurrent use.
type readings struct {
	now func() time.Time

	mu  sync.Mutex
	got map[string]time.Time
}

func newReadings(now func() time.Time) *readings {
	return &readings{now: now, got: map[string]time.Time{}}
}

// begins reports whether what somebody asks for begins a reading.
func (r *readings) begins(who, what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()

	key := who + "\x00" + what
	now := r.now()
	if at, ok := r.got[key]; ok && now.Sub(at) < readingLasts {
		return false
	}

	if len(r.got) >= readingsMost {
		clear(r.got)
	}
	r.got[key] = now
	return true
}

// forget makes the next request of somebody begin a reading: this one came to nothing.
func (r *readings) forget(who, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.got, who+"\x00"+what)
}

// who reads: a person in a session, or a token, and from where: somebody else with
// the same credentials is another reader.
func who(rq *webapi.Request) string {
	p := rq.Caller().Principal()
	session := ""
	if x := rq.Caller().Session(); x != nil {
		session = x.ID
	}
	return string(p.Kind) + " " + p.Name + " " + session + " " + rq.Address()
}

// recordReading writes down that somebody reads the trail (PS3.15 A.5.3.2), with
// the names of what it was asked by. Other names are another reading; other values
// are not, so that nobody fills the trail by counting through them. Where no record
// may wait, the one that just had to do so counts: then the error is of
// fault.Unavailable, and nothing is read.
func (s *Services) recordReading(rq *webapi.Request) error {
	var names []string
	for _, name := range recordParameters() {
		if rq.Query(name) != "" && name != "after" && name != "limit" {
			names = append(names, name)
		}
	}

	what := strings.Join(names, " ")
	if !s.readings.begins(who(rq), what) {
		return nil
	}

	rq.Record(audit.LogUsed, audit.Read, audit.Object{Detail: what})
	err := rq.Recordable()
	if err != nil {
		s.readings.forget(who(rq), what)
	}
	return err
}
