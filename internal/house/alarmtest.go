package house

import (
	"context"
	"log/slog"

	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/posture"
)

// TestAlarms sends a test to every channel of the settings, and records it. Without a
// channel it ends as fault.Misused.
func (in *Installation) TestAlarms(ctx context.Context) ([]posture.Tried, error) {
	// With the certificate that the server shows: what it is for is tried, too.
	own, err := identity.NewServerCertificate(in.Authority, ServerHosts(in.Config))
	if err != nil {
		return nil, err
	}
	teller, err := NewTeller(NewPosture(in, nil, nil), in, own.Get, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	if teller == nil {
		return nil, fault.Usage("no channel is set: name one under alarms in the settings; docs/alarms.md says how")
	}

	list := teller.Test(ctx)
	return list, in.Record(ctx, alarmRecord(list))
}

// alarmRecord says which channels were tried, and failed where one did not work.
func alarmRecord(list []posture.Tried) audit.Record {
	r := audit.Record{Event: audit.AlarmTested, Action: audit.Execute}
	for _, t := range list {
		r.Objects = append(r.Objects, audit.Object{Detail: t.Channel})
		if !t.OK {
			r.Outcome = audit.MinorFailure
			r.Reason = "a channel did not work"
		}
	}
	return r
}
