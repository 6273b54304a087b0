package house

import (
	"context"
	"errors"
	"fmt"

	"collimator/internal/audit"
	"collimator/internal/enrolment"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/phrase"
)

// desk is where devices are enrolled.
func (in *Installation) desk() enrolment.Desk {
	return enrolment.Desk{Registry: in.Registry, Authority: in.Authority}
}

// inFlags says what of a grant cannot be in the words of the command line.
func inFlags(err error) error {
	if wrong, ok := errors.AsType[*enrolment.WrongError](err); ok {
		return fault.Usage("%s", wrong.Flags)
	}
	return err
}

// GrantedDevice checks what is granted, and makes the entry of a device.
func GrantedDevice(aeTitle string, g enrolment.Grant) (identity.Device, error) {
	d, err := g.Device(aeTitle)
	return d, inFlags(err)
}

// ApproveDevice lets a caller in that was refused, by its number or its title, with the
// certificate it showed. One that is registered already keeps what is not granted
// anew: it only shows another certificate or address.
func (in *Installation) ApproveDevice(ctx context.Context, who string, g enrolment.Grant, shortKey bool) (d identity.Device, err error) {
	p, err := in.pending(ctx, who)
	if err != nil {
		return d, err
	}
	if d, err = in.desk().Approve(ctx, p, g, shortKey); err != nil {
		return d, inFlags(err)
	}
	return d, in.noteDevice(ctx, audit.Create, d, "approved"+shortKeyNote(shortKey))
}

// pending finds who was refused, by number or title.
func (in *Installation) pending(ctx context.Context, who string) (identity.Pending, error) {
	list, err := in.Registry.ListPending(ctx)
	if err != nil {
		return identity.Pending{}, err
	}

	var found []identity.Pending
	for _, p := range list {
		if fmt.Sprint(p.ID) == who {
			return p, nil
		}
		if p.CallingAETitle == who {
			found = append(found, p)
		}
	}

	switch len(found) {
	case 0:
		return identity.Pending{}, fmt.Errorf("nobody called %q was refused; see 'collimator device pending'", who)
	case 1:
		return found[0], nil
	}

	return identity.Pending{}, fmt.Errorf("%s refused under the title %q; "+
		"give the number from 'collimator device pending', after comparing the certificates",
		phrase.Count(len(found), "caller was", "callers were"), who)
}

// ChangeDevice changes a device; it gives it as it is now. refused says that it cannot
// come in, and is empty where it can.
func (in *Installation) ChangeDevice(ctx context.Context, aeTitle string, c enrolment.Changed) (identity.Device, string, error) {
	d, out, err := in.desk().Change(ctx, aeTitle, c)
	if err != nil {
		return d, "", inFlags(err)
	}
	refused := ""
	if out {
		refused = fmt.Sprintf("%[1]s has neither a certificate nor an exception and is refused; "+
			"'collimator device renew %[1]s --out DIR' makes a certificate", aeTitle)
	}
	return d, refused, in.noteDevice(ctx, audit.Update, d, "changed")
}

// RemoveDevice takes a device out for good.
func (in *Installation) RemoveDevice(ctx context.Context, aeTitle string) error {
	if err := in.Registry.Remove(ctx, aeTitle); err != nil {
		return err
	}
	return in.noteDevice(ctx, audit.Delete, identity.Device{AETitle: aeTitle}, "removed")
}

// AdviseDevice names what was taken of a device and will not do what was meant.
func (in *Installation) AdviseDevice(ctx context.Context, d identity.Device) (advice []string, err error) {
	for _, to := range d.Destinations {
		there, err := in.Registry.Device(ctx, to)
		switch {
		case fault.Of(err) == fault.NotFound:
			advice = append(advice,
				fmt.Sprintf("%s is not registered: nothing is sent to it until it is ('collimator device add %s "+
					"--listen HOST:PORT')", to, to))
		case err != nil:
			return nil, err
		case there.Listen == "":
			advice = append(advice, fmt.Sprintf("%s has no address to send to: 'collimator device set %s --listen HOST:PORT'", to, to))
		}
	}
	return advice, nil
}

// noteDevice records a change of a device, with the verbs and exceptions that it has
// now.
func (in *Installation) noteDevice(ctx context.Context, action audit.Action, d identity.Device, detail string) error {
	return in.Note(ctx, audit.DeviceChanged, action, enrolment.Words(d, detail))
}
