package house

import (
	"context"
	"fmt"

	"collimator/internal/audit"
	"collimator/internal/identity"
)

// FirstAdministrator registers the first administrator of an installation, and records
// it. Where there is one already, nothing is changed.
func (in *Installation) FirstAdministrator(ctx context.Context, name, password string) error {
	has, err := in.Registry.HasAdministrator(ctx)
	if err != nil {
		return err
	}
	if has {
		return fmt.Errorf("%s has an administrator already; nothing was changed", in.Config.Data)
	}
	if err := in.Registry.AddPerson(ctx, name, identity.Administrator, password); err != nil {
		return err
	}
	return in.Note(ctx, audit.PersonChanged, audit.Create, audit.Object{Person: name, Detail: identity.Administrator})
}
