package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strconv"
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
	// salt makes what is remembered of values useless to who reads the memory.
	salt [32]byte

	mu  sync.Mutex
	got map[string]time.Time
}

func newReadings(now func() time.Time) *readings {
	r := &readings{now: now, got: map[string]time.Time{}}
	rand.Read(r.salt[:]) // never returns an error (crypto/rand)
	return r
}

// begins reports whether a request begins a reading: nobody has asked for what, the
// names of its parameters, with the same values of late. A value may be that of a
// patient: a hash of all of them is remembered.
func (r *readings) begins(who, what string, values ...string) bool {
	key := r.key(who, what, values)
	r.mu.Lock()
	defer r.mu.Unlock()

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

// forget makes the same request begin a reading once more: this one came to nothing.
func (r *readings) forget(who, what string, values ...string) {
	key := r.key(who, what, values)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.got, key)
}

// key is by what a reading is remembered. The length stands before each value, so
// that no two lists of values look alike.
func (r *readings) key(who, what string, values []string) string {
	h := hmac.New(sha256.New, r.salt[:])
	for _, v := range values {
		h.Write([]byte(strconv.Itoa(len(v)) + ":" + v))
	}
	return who + "\x00" + what + "\x00" + string(h.Sum(nil))
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
// the names of what it was asked by. Another name or another value is another
// reading: who looks up one patient after the other leaves a record of each. Where
// no more records may wait until the disk takes them, the error is of
// fault.Unavailable and nothing is read.
func (s *Services) recordReading(rq *webapi.Request) error {
	var names, values []string
	for _, name := range recordParameters() {
		if rq.Query(name) != "" && name != "after" && name != "limit" {
			names = append(names, name)
			values = append(values, rq.Query(name))
		}
	}

	what := strings.Join(names, " ")
	if !s.readings.begins(who(rq), what, values...) {
		return nil
	}

	rq.Record(audit.LogUsed, audit.Read, audit.Object{Detail: what})
	err := rq.Recordable()
	if err != nil {
		s.readings.forget(who(rq), what, values...)
	}
	return err
}
