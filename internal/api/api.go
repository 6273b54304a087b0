// Package api is the JSON API of what people administrate: people, devices, the
// audit trail, what is held back, the attack surface. Handlers are thin: they read
// a request, call the service that the commands call too, and name the verb that
// the guard judges. It authenticates and decides nothing.
package api

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/db"
	"collimator/internal/disc"
	"collimator/internal/fault"
	"collimator/internal/gate/maintenance"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/policy"
	"collimator/internal/posture"
	"collimator/internal/registers"
	"collimator/internal/webapi"
)

// Services are what the API is a face of; all are needed.
type Services struct {
	Registry *identity.Registry
	// Authority signs the certificates of devices.
	Authority *identity.Authority
	// Sessions are those of people.
	Sessions *identity.Sessions
	// Connection is how devices reach this archive; the authority is added.
	Connection Connection
	Trail      *audit.Trail
	Archive    *archive.Archive
	Posture    *posture.Posture
	Doors      *maintenance.Doors
	// EnterPages lets somebody who is signed in into the pages of a system behind a route.
	EnterPages func(ctx context.Context, c *guard.Caller, route, nonce, to string) (address string, err error)
	// EnterDoor takes the code of a door, and counts one that is wrong.
	EnterDoor func(ctx context.Context, v maintenance.Visitor, secret string) (maintenance.Door, error)
	// DoorCode is the code of a door of this server, without its secret.
	DoorCode func() (maintenance.Code, error)
	Log      *slog.Logger
	// House tells how the server runs.
	House House
	// Ledger is the log that proves what was recorded.
	Ledger Ledger
	// Held looks into what is held back.
	Held Held
	// Gate is what is done to its routes.
	Gate Gate
	// EchoDevice sends a C-ECHO to a registered device.
	EchoDevice func(ctx context.Context, aeTitle string) (Echo, error)
	// LastAdmitted is when a device was last let in, since the server was started; zero: it was not.
	LastAdmitted func(aeTitle string) time.Time
	// Proofs are those of what is stored; DB and Registers keep what people say of a study.
	Proofs    *ledger.Log
	DB        *db.DB
	Registers *registers.Book
	// LedgerKey is that by which proofs are verified.
	LedgerKey string
	// DICOMweb is the address of the archive for other programs, without a slash at its end; AETitle its name.
	DICOMweb, AETitle string
	// Objects gives what is stored, and Spool keeps images of discs.
	Objects disc.Objects
	Spool   Spool
	// May lists the verbs that are granted to who asks.
	May func(*guard.Caller) []policy.Verb
	// Bell tells browsers what has changed.
	Bell *Bell
	// Sends are the studies on their way to devices because somebody asked here.
	Sends *Sends
	// StudyAt is the Patient ID and its issuer of a study of a route of the gate; fault.NotFound where there
	// is none such.
	StudyAt func(ctx context.Context, route, study string) (patient, issuer string, err error)
	// Links is the address before the secret of a one-time link.
	Links string
	// ShareLinks is the address before the secret of a link to a study.
	ShareLinks string

	readings  *readings // of the trail
	verifying atomic.Bool
}

// pageMost is the most entries of one answer.
const pageMost = 500

// Register adds the routes, each with the verb that it needs. It is called once, before
// the first request.
func (s *Services) Register(a *webapi.API) {
	s.readings = newReadings(time.Now)

	s.registerPeople(a)
	s.registerDevices(a)
	s.registerDevice(a)
	s.registerTokens(a)
	s.registerQR(a)
	a.Handle("GET /api/v1/shares", policy.ShareStudy, s.shares)
	a.Handle("POST /api/v1/shares", policy.ShareStudy, s.createShare)
	a.Handle("DELETE /api/v1/shares/{id}", policy.ShareStudy, s.revokeShare)
	s.registerHeld(a)
	s.registerLedger(a)
	a.Holds(listBytes, "GET /api/v1/shares")
	s.registerSurface(a)
	s.registerInventory(a)
	s.registerDoors(a)
	s.registerRunning(a)
	s.registerGate(a)
	s.registerStudies(a)
	s.registerDownload(a)
	s.registerSends(a)
	a.Own("POST /api/v1/gate/pages", s.enterPages)
	a.Anybody("GET /api/v1/openapi.json", func(*webapi.Request) (any, error) { return a.Document(), nil })
	a.Lasting("GET /api/v1/events", "", s.events)
	s.describe(a)
}

// What lists may hold while one of them is answered, in bytes: of what is
// registered, and of what was found in the network, which is read as a whole.
const (
	listBytes    = 8 << 20
	surfaceBytes = 32 << 20
)

func validAE(title string) error {
	if !config.ValidAE(title) {
		return fault.New(fault.Invalid, "api: an AE title has 1 to 16 printable ASCII characters without backslash")
	}
	return nil
}
