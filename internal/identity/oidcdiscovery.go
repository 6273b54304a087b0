package identity

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"collimator/internal/fault"
	"collimator/internal/outward"
)

// Bounds of each request to the identity provider.
const (
	oidcTimeout = 10 * time.Second
	oidcMost    = 1 << 20 // bytes of an answer
	// discoverEvery is how long its addresses are believed, discoverAgain how long
	// it is left alone after it did not answer while there are old ones.
	discoverEvery = time.Hour
	discoverAgain = time.Minute
)

// discovery knows the addresses and keys of a provider (OpenID Connect
// Discovery 1.0). Safe for concurrent use.
type discovery struct {
	issuer string
	client *http.Client
	health func(error)
	clock  func() time.Time

	// asking lets one request at a time ask: while the provider does not answer,
	// others are told at once and do not pile up.
	asking chan struct{}

	mu       sync.Mutex
	provider *oidc.Provider // nil: it never answered
	next     time.Time      // when to ask again
}

func newDiscovery(issuer string, client *http.Client, health func(error), clock func() time.Time) *discovery {
	return &discovery{issuer: issuer, client: client, health: health, clock: clock, asking: make(chan struct{}, 1)}
}

// now is what is known, however old; nil where the provider never answered.
func (d *discovery) now() *oidc.Provider {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.provider
}

// get gives what the provider said within the last hour, and else asks. Where it
// does not answer then, what it said before goes on.
func (d *discovery) get(ctx context.Context) (*oidc.Provider, error) {
	d.mu.Lock()
	p := d.provider
	fresh := p != nil && d.clock().Before(d.next)
	d.mu.Unlock()
	if fresh {
		return p, nil
	}

	renewed, err := d.ask(ctx)
	if err != nil && p != nil {
		return p, nil
	}
	return renewed, err
}

// errAsking is for who comes while the provider is asked.
var errAsking = fault.NewCode(fault.Busy, "provider-asked", "identity: the identity provider is being asked; try again in a few seconds")

// ask asks the provider whatever is known.
func (d *discovery) ask(ctx context.Context) (*oidc.Provider, error) {
	select {
	case d.asking <- struct{}{}:
		defer func() { <-d.asking }()
	default:
		return nil, errAsking
	}

	p, err := oidc.NewProvider(oidc.ClientContext(ctx, d.client), d.issuer)
	if ctx.Err() != nil && err != nil {
		return nil, ctx.Err() // the browser went away; that says nothing of the provider
	}

	d.mu.Lock()
	if err == nil {
		d.provider = p
		d.next = d.clock().Add(discoverEvery)
	} else {
		d.next = d.clock().Add(discoverAgain)
	}
	d.mu.Unlock()

	if err != nil {
		err = &OIDCFailure{Reason: reasonAway, shown: errAway, cause: err}
	}
	d.health(err)
	return p, err
}

// providerClient talks to the identity provider: bounded in time and bytes, and
// never to where it is sent on.
func providerClient(t http.RoundTripper) *http.Client {
	if t == nil {
		t = new(outward.Way).Transport(nil)
	}
	return &http.Client{
		Timeout: oidcTimeout, Transport: boundedTransport{t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type boundedTransport struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	rsp, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		rsp.Body = http.MaxBytesReader(nil, rsp.Body, oidcMost)
	}
	return rsp, err
}
