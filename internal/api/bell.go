package api

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/policy"
	"collimator/internal/posture"
)

// Bell tells who listens that something of a kind has changed, and never what: they ask for it
// again, where the guard looks at each. What is recorded is what happened, so the bell reads
// the audit trail, once for all listeners and only while there are any. Safe for concurrent use.
type Bell struct {
	trail   *audit.Trail
	posture *posture.Posture
	log     *slog.Logger

	mu        sync.Mutex
	listeners map[*listener]bool
	places    map[string]int     // that each person has taken
	stop      context.CancelFunc // of the reading that goes on; nil: there is none
	done      chan struct{}
	closed    bool
}

// NewBell makes one over the trail and the scans.
func NewBell(trail *audit.Trail, p *posture.Posture, log *slog.Logger) *Bell {
	return &Bell{trail: trail, posture: p, log: log, listeners: map[*listener]bool{}, places: map[string]int{}}
}

// topics are what a listener hears of, each with the verb by which it is asked for.
var topics = map[string]policy.Verb{
	"studies": policy.Query, "devices": policy.Devices, "people": policy.People, "surface": policy.Surface,
	"scans": policy.Surface, "quarantine": policy.Quarantine, "audit": policy.Audit, "shares": policy.ShareStudy, "gate": policy.Configure,
	"sends": policy.Retrieve,
}

// rings are the topics that a record belongs to, beside the trail itself.
var rings = map[audit.Event][]string{
	audit.Transferred: {"studies", "quarantine"}, audit.StudyDeleted: {"studies"}, audit.StudyMarked: {"studies"}, audit.InstancesDeleted: {"studies"},
	audit.SecurityAlert: {"devices", "quarantine", "surface"}, audit.DeviceChanged: {"devices"}, audit.Verification: {"devices"},
	audit.PersonChanged: {"people"}, audit.UserAuthenticated: {"people"}, audit.Export: {"shares"},
	audit.InventoryChanged: {"surface"}, audit.Scanned: {"surface", "scans"}, audit.QuarantineChanged: {"quarantine", "studies"},
	audit.GateChanged: {"gate"}, audit.MaintenanceDoor: {"gate"}, audit.Maintained: {"studies"},
}

// listener is one that is told. What has changed waits in it until it is taken.
type listener struct {
	wants map[string]bool
	rung  map[string]bool
	ready chan struct{} // of capacity 1
}

// placesMost is how many pages of one person may listen: each holds a request of their address for as long as it is
// open, and who comes from behind the same proxy has the same address.
const placesMost = 32

var errPlaces = fault.New(fault.Busy, "api: you listen in too many places; close some pages")

// place gives a person one more place, until the function it returns is called.
func (b *Bell) place(person string) (leave func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.places[person] >= placesMost {
		return nil, errPlaces
	}
	b.places[person]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.places[person]--; b.places[person] == 0 {
			delete(b.places, person)
		}
	}, nil
}

// heartbeat is how often who listens is told that nothing has changed: proxies end what is silent.
const heartbeat = 20 * time.Second

// Listen hears of topics until the context ends or the bell is closed, and gives hear those that
// rang since, sorted; none for a heartbeat. An error of hear ends it.
func (b *Bell) Listen(ctx context.Context, wants map[string]bool, hear func(rung []string) error) error {
	l := &listener{wants: wants, rung: map[string]bool{}, ready: make(chan struct{}, 1)}
	ended, err := b.add(ctx, l)
	if err != nil {
		return err
	}
	defer b.remove(l)

	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ended:
			return nil
		case <-beat.C:
		case <-l.ready:
		}
		if err := hear(b.take(l)); err != nil {
			return err
		}
	}
}

func (b *Bell) take(l *listener) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	rung := slices.Sorted(maps.Keys(l.rung))
	clear(l.rung)
	return rung
}

// add begins to read the trail for the first listener.
func (b *Bell) add(ctx context.Context, l *listener) (ended <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return closedChannel(), nil
	}
	if b.stop != nil {
		b.listeners[l] = true
		return b.done, nil
	}

	last, err := b.trail.Last(ctx)
	if err != nil {
		return nil, err
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.stop, b.done = stop, make(chan struct{})
	b.listeners[l] = true
	go b.read(reading, last, b.done) // until the last listener has left, or Close
	return b.done, nil
}

func closedChannel() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (b *Bell) remove(l *listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.listeners, l)
	if len(b.listeners) == 0 && b.stop != nil {
		b.stop()
		b.stop = nil
	}
}

// Close ends what everybody hears: the server is stopping.
func (b *Bell) Close() {
	b.mu.Lock()
	b.closed = true
	stop, done := b.stop, b.done
	b.stop = nil
	b.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

// read rings for what is recorded, and while a scan goes on.
func (b *Bell) read(ctx context.Context, last int64, done chan struct{}) {
	defer close(done)
	scans := ""
	err := b.trail.Follow(ctx, last, func(more []audit.Record) error {
		rung := map[string]bool{}
		for _, r := range more {
			rung["audit"] = true
			for _, topic := range rings[r.Event] {
				rung[topic] = true
			}
		}
		if now := b.scans(); now != scans {
			scans = now
			rung["scans"] = true
		}
		b.ring(rung)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		b.log.Error("browsers are not told of changes", "error", err)
	}
}

// scans are how far all scans are.
func (b *Bell) scans() string {
	text := ""
	for _, j := range b.posture.Jobs() {
		text += fmt.Sprint(j.ID, j.State, j.Looked, j.Hosts, ";")
	}
	return text
}

// Ring tells of a topic that changes without a record.
func (b *Bell) Ring(topic string) { b.ring(map[string]bool{topic: true}) }

func (b *Bell) ring(rung map[string]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		for topic := range rung {
			if l.wants[topic] {
				l.rung[topic] = true
			}
		}
		if len(l.rung) > 0 {
			select {
			case l.ready <- struct{}{}:
			default: // it has not taken the last yet
			}
		}
	}
}
