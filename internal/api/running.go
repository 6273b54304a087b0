package api

import (
	"context"
	"time"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/outbox"
	"collimator/internal/policy"
	"collimator/internal/state"
	"collimator/internal/webapi"
)

// House tells how the server runs, and what it was told by its settings.
type House interface {
	// States are those of all parts, the worst first.
	States() []state.State
	// Overview is what an administrator looks at first.
	Overview(ctx context.Context) (Overview, error)
	// Settings are those in force.
	Settings() (Settings, error)
	// Scope is where scans may look.
	Scope() (Scope, error)
	// Own declares a range of private addresses as one's own; fault.Invalid for what it cannot be.
	Own(prefix string) error
	// Sample is a ZIP file with a synthetic study of nobody.
	Sample(kind string, images int) ([]byte, error)
}

// Overview is what an administrator looks at first.
type Overview struct {
	Disk           Disk             `json:"disk"`
	Backup         Backup           `json:"backup"`
	Administrators int              `json:"administrators"`
	Ending         []Ending         `json:"ending"` // certificates and exceptions that end within 60 days, the next first
	Queues         []outbox.Summary `json:"queues"`
	// Open is what is left to do before the archive is relied on.
	Open []Point `json:"open"`
}

// Disk is the room of the data directory, in bytes.
type Disk struct {
	Free  int64 `json:"free"`
	Total int64 `json:"total"`
}

// Backup is what is known of backups.
type Backup struct {
	Last      time.Time `json:"last,omitzero"` // missing: none was made
	To        string    `json:"to,omitempty"`
	Rehearsed time.Time `json:"rehearsed,omitzero"` // when a restore was last tried
	Key       bool      `json:"recoveryKeyKept"`    // somebody has shown that the recovery key is kept
}

// Ending is a certificate or an exception that ends.
type Ending struct {
	What  string    `json:"what"` // certificate, plaintext, no-certificate, web
	Of    string    `json:"of"`   // AE title, or the host
	Until time.Time `json:"until"`
}

// Point is one of what is to be done before going live.
type Point struct {
	ID   string `json:"id"` // backup, recovery-key, second-administrator, certificate, alarms, network, rehearsal
	Done bool   `json:"done"`
	Do   string `json:"do,omitempty"` // the command that does it
}

// Settings are those in force.
type Settings struct {
	File  string    `json:"file,omitempty"` // missing: there is none, and all are standard
	Items []Setting `json:"items"`
}

// Setting is one of them.
type Setting struct {
	Key   string `json:"key"` // with points, as signin.idle
	Value string `json:"value"`
	Line  int    `json:"line,omitempty"` // of the file; missing: standard, or a flag
}

// Scope is where scans may look.
type Scope struct {
	Ranges  []string `json:"ranges"`
	Exclude []string `json:"exclude"`
	Zones   []string `json:"zones"`
	// Own are the private networks in which this machine stands: what one is likely to mean.
	Own []string `json:"own"`
}

// registerRunning puts the routes about how the server runs on the guard's multiplexer.
func (s *Services) registerRunning(a *webapi.API) {
	a.Handle("GET /api/v1/states", policy.Configure, s.states)
	a.Handle("GET /api/v1/overview", policy.Configure, s.overview)
	a.Handle("GET /api/v1/settings", policy.Configure, s.settings)
	a.Handle("GET /api/v1/scope", policy.Surface, s.scope)
	a.Handle("POST /api/v1/scope", policy.Configure, s.own)
	a.Handle("GET /api/v1/sample", policy.Store, s.sample, "kind", "images")
	a.Proven("POST /api/v1/scope")
	a.Holds(sampleBytes, "GET /api/v1/sample")
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/states": webapi.Does("Say how each part of the server is, and what to do").
			Gives(webapi.List[state.State]{}),
		"GET /api/v1/overview": webapi.Does("Show what an administrator looks at first").Gives(Overview{}),
		"GET /api/v1/settings": webapi.Does("List the settings in force").Gives(Settings{}),
		"GET /api/v1/scope":    webapi.Does("Say where scans may look").Gives(Scope{}),
		"POST /api/v1/scope": webapi.Does("Declare a range of private addresses as one's own").
			Takes(ownRange{}).Gives(Scope{}),
		"GET /api/v1/sample": webapi.Does("Give a synthetic study of nobody, marked TEST, as a ZIP file").
			GivesFile("application/zip").
			With("kind", "ct, mr, us, ... as 'collimator sample' has it; ct without it").
			With("images", "How many, 1 to 60; 12 without it"),
	})
}

func (s *Services) states(*webapi.Request) (any, error) { return webapi.NewList(s.House.States()), nil }

func (s *Services) overview(rq *webapi.Request) (any, error) { return s.House.Overview(rq.Context()) }

func (s *Services) settings(*webapi.Request) (any, error) { return s.House.Settings() }

func (s *Services) scope(*webapi.Request) (any, error) { return s.House.Scope() }

// ownRange is a part of the network that somebody answers for.
type ownRange struct {
	Range string `json:"range"`
	// Mine must be true: who may not look there must not.
	Mine bool `json:"mine"`
}

func (s *Services) own(rq *webapi.Request) (any, error) {
	var in ownRange
	if err := rq.Read(&in); err != nil {
		return nil, err
	}
	if !in.Mine {
		return nil, fault.New(fault.Invalid, "api: mine has to be true: only networks one answers for may be scanned")
	}
	if err := s.House.Own(in.Range); err != nil {
		return nil, err
	}
	rq.Record(audit.InventoryChanged, audit.Create, audit.Object{Detail: "declared as one's own: " + in.Range})
	return s.House.Scope()
}

// Bounds of a synthetic study.
const (
	sampleImages = 12
	sampleMost   = 60
	sampleBytes  = 24 << 20 // the images of the largest, and the ZIP file of them
)

func (s *Services) sample(rq *webapi.Request) (any, error) {
	images, err := rq.Number("images", sampleImages, 1, sampleMost)
	if err != nil {
		return nil, err
	}
	kind := rq.Query("kind")
	if kind == "" {
		kind = "ct"
	}
	b, err := s.House.Sample(kind, int(images))
	if err != nil {
		return nil, err
	}
	return &webapi.File{Name: "TEST-" + kind + ".zip", Type: "application/zip", Body: b}, nil
}
