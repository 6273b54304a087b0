package house_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

func TestWhatARouteRefusesARegisteredDeviceIsAnIssueOnceForEachThing(t *testing.T) {
	t.Parallel()
	in := withRoutes(t, oneRoute+"  - name: LEARNS\n    protect: OLDPACS@127.0.0.1:104\n    learn_until: 2999-01-01T00:00:00Z\n")
	ctx := t.Context()
	device := identity.Device{AETitle: "CT1", Address: "127.0.0.1", Verbs: policy.Verbs(), PlaintextUntil: time.Now().Add(time.Hour)}
	if err := in.Registry.Put(ctx, device); err != nil {
		t.Fatal(err)
	}

	now := time.Now()
	for _, x := range []struct {
		device, route, what string
		code                audit.Code
		at                  time.Time
	}{
		{"CT1", "PACS", "C-STORE of MR Image Storage", audit.NotGranted, now.Add(-time.Hour)},
		{"CT1", "PACS", "C-STORE of MR Image Storage", audit.NotGranted, now.Add(-time.Minute)},
		{"CT1", "PACS", "association", audit.NotGranted, now.Add(-time.Hour)},
		{"CT1", "PACS", "too old", audit.NotGranted, now.AddDate(0, 0, -8)},
		{"CT1", "PACS", "something else", "", now},
		{"CT1", "LEARNS", "while it learns", audit.NotGranted, now},
		{"CT1", "GONE", "a route that is gone", audit.NotGranted, now},
		{"XR9", "PACS", "of nobody", audit.NotGranted, now},
	} {
		err := in.Trail.Write(ctx, audit.Record{
			Time: x.at, Event: audit.SecurityAlert, Action: audit.Execute, Outcome: audit.MinorFailure, Code: x.code, Reason: "no rule",
			Principal: x.device, Peer: audit.Peer{CalledAETitle: x.route}, Objects: []audit.Object{{Detail: x.what}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	err := house.WithBlobs(in, func(a *archive.Archive) error {
		return house.NewPosture(in, a, slog.New(slog.NewTextHandler(io.Discard, nil))).Refresh(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	issues, err := in.Inventory.Issues(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, i := range issues {
		if i.Check == "ARC-012" {
			for _, e := range i.Evidence {
				told = append(told, e.Sent)
			}
		}
	}
	if got := strings.Join(told, "; "); got != "C-STORE of MR Image Storage of CT1 at PACS; association of CT1 at PACS" {
		t.Errorf("told: %s", got)
	}
}
