package reverse

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"sync"
	"time"

	"collimator/internal/fault"
	"collimator/internal/policy"
)

// Bounds of tickets.
const (
	ticketFor      = 30 * time.Second
	ticketsMost    = 1024
	ticketsOfMost  = 16 // of one session
	nonceHexLength = sha256.Size * 2
)

// Guest is somebody who is signed in at the console, and who may come to the pages of a route.
type Guest struct {
	Person  string
	Role    policy.Role
	Session string // its ID
}

// ticket lets one browser in, once.
type ticket struct {
	guest Guest
	route string
	site  *site // it is of no other one, should the route change
	nonce string
	to    string
	ends  time.Time
}

// tickets are those that were given and not taken. Safe for concurrent use.
type tickets struct {
	now func() time.Time

	mu  sync.Mutex
	all map[string]ticket // by the hash of the secret
}

func newTickets(now func() time.Time) *tickets {
	return &tickets{now: now, all: map[string]ticket{}}
}

var (
	errTickets = fault.New(fault.Busy, "reverse: too many people come at this moment; try again in half a minute")
	errNoSite  = fault.New(fault.NotFound, "reverse: there are no pages of a route of this name, or it is closed")
	errNotHere = fault.NewCode(fault.Denied, "page-role", "reverse: your role may not see the pages of this route")
	errAsked   = fault.New(fault.Invalid, "reverse: this is not how the pages of a route ask who comes; open their address again")
)

// add keeps a ticket and gives its secret.
func (t *tickets) add(x ticket) (secret string, err error) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	same := 0
	for key, old := range t.all {
		if !now.Before(old.ends) {
			delete(t.all, key)
		} else if old.guest.Session == x.guest.Session {
			same++
		}
	}
	if len(t.all) >= ticketsMost || same >= ticketsOfMost {
		return "", errTickets
	}

	secret = newSecret()
	x.ends = now.Add(ticketFor)
	t.all[hashOf(secret)] = x
	return secret, nil
}

// take gives the ticket of a secret, which counts no more.
func (t *tickets) take(secret string) (x ticket, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x, ok = t.all[hashOf(secret)]
	delete(t.all, hashOf(secret))
	return x, ok && t.now().Before(x.ends)
}

// Ticket lets a guest into the pages of a route: the address to which the browser goes next. nonce is
// the hash of the cookie that the browser was given there, and to is where it wanted to; anything
// but a path on that origin is fault.Invalid.
func (s *Server) Ticket(_ context.Context, g Guest, route, nonce, to string) (address string, err error) {
	x := s.site(route)
	if x == nil {
		return "", errNoSite
	}
	if !x.judge.admits(g.Role) {
		return "", errNotHere
	}
	if b, err := hex.DecodeString(nonce); err != nil || len(b) != sha256.Size {
		return "", errAsked
	}
	local, err := localPath(to)
	if err != nil {
		return "", errAsked
	}

	secret, err := s.tickets.add(ticket{guest: g, route: route, site: x, nonce: nonce, to: local})
	if err != nil {
		return "", err
	}
	return x.origin + enterPath + "?ticket=" + url.QueryEscape(secret), nil
}

// newSecret is 256 random bits.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never returns an error (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
