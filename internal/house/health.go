package house

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"collimator/internal/config"
	"collimator/internal/gate"
	"collimator/internal/identity"
	"collimator/internal/outbox"
	"collimator/internal/outward"
	"collimator/internal/reserve"
	"collimator/internal/state"
	"collimator/internal/tlsprofile"
)

// StatesOf is the states of the running server, or of what can be seen without one.
func StatesOf(ctx context.Context, in *Installation) ([]state.State, error) {
	h, err := AskHealth(ctx, in.Config)
	if err == nil {
		return lookAnew(ctx, in, h.States)
	}

	states := state.New(time.Now)
	states.Failing("server", fmt.Sprintf("no server answers at %s: %v", in.Config.HTTP, err),
		"collimator serve, or see the log of the service")
	look, err := newInspector(in.Config.Inspect, states, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	look.ask(ctx)
	reserve.Tell(in.Config.Data, states)
	gate.Examine(filepath.Join(in.Config.Data, gate.File), states, time.Now())
	err = errors.Join(outbox.Tell(ctx, in.DB, states, outbox.Limits{}, time.Now()), examineAll(ctx, in, states))
	return states.All(), err
}

// lookAnew puts what the data directory tells now in the place of what the server
// saw at its last look, which may be as old as examineKeptEvery: who has just made a
// backup or renewed a certificate is told so.
func lookAnew(ctx context.Context, in *Installation, known []state.State) ([]state.State, error) {
	looked := state.New(time.Now)
	if err := examineKept(ctx, in, looked); err != nil {
		return nil, err
	}

	since := map[string]state.State{}
	list := slices.DeleteFunc(known, func(s state.State) bool {
		since[s.Name] = s
		return s.Name == devicesPart || s.Name == backupPart || s.Name == recoveryPart
	})
	for _, s := range looked.All() {
		if was, ok := since[s.Name]; ok && was.Level == s.Level {
			s.Since = was.Since
		}
		list = append(list, s)
	}

	slices.SortFunc(list, func(a, b state.State) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// partStates is how the parts are: in a server what it knows, else what the doctor
// says.
func (in *Installation) partStates(ctx context.Context) ([]state.State, error) {
	if in.states != nil {
		return in.states.All(), nil
	}
	list, err := StatesOf(ctx, in)
	return slices.DeleteFunc(list, func(s state.State) bool { return s.Name == "server" }), err
}

// healthReport is what /healthz answers.
type healthReport struct {
	Status string        `json:"status"`
	States []state.State `json:"states"`
}

// AskHealth asks the server of a data directory on this machine how it is.
func AskHealth(ctx context.Context, c config.Config) (*healthReport, error) {
	host, port, err := net.SplitHostPort(c.HTTP)
	if err != nil {
		return nil, errors.New("HTTPS is turned off")
	}
	if ip, err := netip.ParseAddr(host); err != nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	trust, err := ownCertificates(c)
	if err != nil {
		return nil, err
	}

	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rq, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: tlsprofile.AssociationClient(nil, trust), DisableKeepAlives: true}}
	rsp, err := client.Do(rq)
	if err != nil {
		return nil, unanswered(err)
	}
	defer rsp.Body.Close()

	var h healthReport
	if err := json.NewDecoder(io.LimitReader(rsp.Body, 1<<20)).Decode(&h); err != nil {
		return nil, errors.New("the answer does not come from an archive; is http the address of this one?")
	}
	return &h, nil
}

// unanswered is why nobody answered, without what the network calls it.
func unanswered(err error) error {
	if errors.Is(err, tlsprofile.ErrUntrusted) {
		return errors.New("what answers there shows another certificate than this archive has; " +
			"is --data the directory of the server that runs?")
	}
	if reason := outward.Reason(err); reason != "" {
		return &outward.Unanswered{Text: reason, Err: err}
	}
	return err
}

// ownCertificates trusts those that the server of a data directory shows.
func ownCertificates(c config.Config) (tlsprofile.Trust, error) {
	var trust tlsprofile.Trust
	for _, path := range []string{filepath.Join(c.Data, KeysDir, "server.cert.pem"), c.TLS.Certificate} {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || path == "" {
			continue
		}
		if err != nil {
			return trust, err
		}

		cert, err := identity.ParseCertificate(b)
		if err != nil {
			return trust, err
		}
		trust.Fingerprints = append(trust.Fingerprints, tlsprofile.Fingerprint(cert))
	}

	if len(trust.Fingerprints) == 0 {
		return trust, errors.New("it has no certificate yet")
	}
	return trust, nil
}
