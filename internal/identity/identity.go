// Package identity knows who may come in: devices, which are AE titles bound
// to certificates, callers that were refused and wait for approval, and
// people. It holds the installation's certificate authority. It authenticates;
// what somebody may do is judged by policy.
package identity

import (
	"time"

	"collimator/internal/budget"
	"collimator/internal/db"
	"collimator/internal/registers"
)

// Registry is the register of devices and people in a database. Another
// process may change it at any time: nothing is cached. Safe for concurrent use.
type Registry struct {
	db *db.DB
	// book is what every change of a register goes through, so that the ledger
	// covers it.
	book *registers.Book
	now  func() time.Time
	// hashing lets one password check run at a time: each takes 64 MiB and all
	// processors, and what the one before took may not have been collected yet.
	hashing chan struct{}
	cost    hashCost
	memory  *budget.Budget // from which it takes what it holds; nil: no bound
	groups  GroupSource    // whose word on groups counts
}

// New makes a registry over an open database and the book of its registers.
func New(d *db.DB, b *registers.Book, now func() time.Time) *Registry {
	return &Registry{db: d, book: b, now: now, hashing: make(chan struct{}, 1), cost: strong}
}

// InsecureWeakHashes makes new password hashes cost next to nothing, so that
// tests with many people and sign-ins take no minutes. They protect nobody. Call
// it before the registry is used by others.
func (r *Registry) InsecureWeakHashes() { r.cost = weak }

// HashWithin lets the hashes of passwords take what they hold from the budget of
// all requests. It is called before the first is made.
func (r *Registry) HashWithin(b *budget.Budget) { r.memory = b }
