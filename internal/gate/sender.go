package gate

import (
	"context"

	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/guard"
	"collimator/internal/upstream"
)

// sender is who brings objects for the system behind a route: a device on its association, or
// somebody by DICOMweb.
type sender struct {
	route   string
	name    string // of whom what is spooled is counted together
	aeTitle string // its own; empty by DICOMweb
	seenAs  string // AE title as the system behind sees it

	implementationUID, implementationVersion string

	// lease is an association to the system behind on which an object of this sender can go.
	lease func(context.Context) (*upstream.Lease, error)
}

// senderOn is the device on an association.
func (g *Gate) senderOn(a *dimse.Association, r *route) sender {
	s := sender{route: r.Name, name: a.CallingAETitle(), aeTitle: a.CallingAETitle(), seenAs: r.seenAs(a.CallingAETitle())}
	s.implementationUID, s.implementationVersion = a.PeerImplementation()
	s.lease = func(ctx context.Context) (*upstream.Lease, error) { return g.leaseFor(ctx, a) }
	return s
}

// source is where an object came from, for the quarantine.
func (s sender) source(ctx context.Context) archive.Source {
	who, _ := guard.Principal(ctx)
	src := archive.Source{
		AETitle:               s.aeTitle,
		Address:               guard.Address(ctx),
		Principal:             who.Name,
		ImplementationUID:     s.implementationUID,
		ImplementationVersion: s.implementationVersion,
	}
	guard.Credit(ctx, &src)
	return src
}
