// Package guard is the one door. Every request from outside passes it on its
// way to a handler: authenticate, authorise, limit, inspect, act, record. It decides
// with identity who is asking and with policy whether they may, and writes down
// what was done and what was refused. It holds no images and speaks no protocol
// of its own; the faces hand it what arrived.
package guard

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"collimator/internal/audit"
	"collimator/internal/budget"
	"collimator/internal/identity"
	"collimator/internal/inventory"
	"collimator/internal/places"
	"collimator/internal/policy"
)

// Options are the parts of a Guard; Registry, Trail, Log and Now are needed.
type Options struct {
	Registry *identity.Registry
	Trail    *audit.Trail
	// Keeper writes to the trail, and keeps what cannot be written; its Run must be
	// running. nil makes one of its own that does not.
	Keeper *audit.Keeper
	// Patient is the Patient ID and its issuer of a study, for the record; nil
	// leaves them out.
	Patient func(ctx context.Context, study string) (id, issuer string, err error)
	// Studies counts by study which of some instances are stored, for the record
	// of storage commitment; nil leaves them out.
	Studies func(ctx context.Context, instances []string) (map[string]int, error)
	Log     *slog.Logger
	// Tokens verifies JSON Web Tokens of user identity negotiation; nil refuses them.
	Tokens *identity.TokenVerifier
	// Inventory is told who called; nil tells nobody.
	Inventory inventory.Sink
	// Pending is how many refused callers are remembered.
	Pending int
	Now     func() time.Time
	// Memory bounds what all requests together may hold; nil bounds it to 160 MiB.
	Memory *budget.Budget
	// Rooms are the places for connections at each door; nil ones are unbounded.
	Rooms Rooms
	// Measure, when set, is told of each request of DIMSE and DICOMweb that was let
	// through, and of each of a known device that was refused: by door, operation and
	// outcome. It must be quick.
	Measure func(m Measure)
	// Sessions are those of people who are signed in; nil makes them with the usual
	// limits.
	Sessions *identity.Sessions
	// Local reports whether somebody may show a password at all; nil: everybody may.
	Local func(person string) bool
}

// Rooms are the places for connections at each door.
type Rooms struct{ DICOM, Plain, Web *places.Room }

// Measure is one request in numbers; nothing of it names anybody.
type Measure struct {
	Door      audit.Door
	Route     string // of the gate; empty for the archive
	Operation string // of DIMSE its name, of DICOMweb the verb
	Outcome   string // success, failure or refused
	Took      time.Duration
}

// measure tells who keeps numbers.
func (g *Guard) measure(m Measure, began time.Time) {
	if g.Measure != nil {
		m.Took = time.Since(began)
		g.Measure(m)
	}
}

// Guard admits associations and lets requests through. Safe for concurrent use.
type Guard struct {
	Options
	policy           *policy.Engine
	refusedStrangers *sampler
	refusedRequests  *sampler // of registered devices, whom no stranger may drown
	attempts         attempts
	alarms           *sampler // of emergency access
	accesses         *sampler // to frames and other parts of an image, and what is refused, of whoever was let in
	searches         *rate    // of links and tokens
	origins          *http.CrossOriginProtection
	signing          *signTurns // of whom a password is checked
	administrated    atomic.Bool
	sighted          *sightings
	present          presence
	passed           *passed // through routes of the gate
}

// defaultMemory is the budget of a Guard that was given none, in bytes.
const defaultMemory = 160 << 20

// New makes a guard. Without Memory, Keeper or Sessions it makes its own. From then on
// the registry takes the memory for passwords from it, and the rooms record with it.
func New(o Options) *Guard {
	if o.Memory == nil {
		o.Memory = budget.New(defaultMemory)
	}
	if o.Keeper == nil {
		o.Keeper = audit.NewKeeper(o.Trail, recordWait, nil, o.Log, o.Now)
	}
	if o.Sessions == nil {
		o.Sessions = identity.NewSessions(o.Registry, identity.SessionLimits{})
	}

	g := &Guard{
		Options:          o,
		policy:           policy.New(),
		refusedStrangers: newSampler(o.Now),
		refusedRequests:  newSampler(o.Now),
		alarms:           newFaithfulSampler(o.Now),
		accesses:         newFaithfulSampler(o.Now),
		searches:         newRate(o.Now),
		attempts:         newAttempts(o.Now),
		sighted:          newSightings(o.Now),
		origins:          http.NewCrossOriginProtection(),
		signing:          newSignTurns(),
	}

	g.passed = newPassed(g)
	o.Registry.HashWithin(o.Memory)
	g.Rooms.recordedBy(g)
	return g
}

// Doors, as they stand in the record.
const (
	doorDIMSE = audit.DoorDIMSE
	doorPlain = audit.DoorPlain
)

// Record writes to the trail, now or as soon as it can be written.
func (g *Guard) Record(ctx context.Context, r audit.Record) { g.Keeper.Write(ctx, r) }

// recordWait is how long records may wait until nothing more may be read, where
// nobody set it.
const recordWait = time.Minute

// shows reports a verb by which somebody gets to see images, who has some, or who
// saw them: reading the trail is an event of it, too. It needs a record.
func shows(v policy.Verb) bool {
	return v == policy.Query || v == policy.Retrieve || v == policy.Audit
}
