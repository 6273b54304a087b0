package house

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"collimator/internal/audit"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/recovery"
)

// WriteRecoveryKey makes a new recovery key in a file, which counts as kept. The file
// comes first: a public part whose secret nobody has would seal everything away. A
// file that is there already is left alone, and ends as fault.Misused.
func (in *Installation) WriteRecoveryKey(ctx context.Context, file string) error {
	key, err := recovery.New()
	if err != nil {
		return err
	}

	text := fmt.Sprintf("# Recovery key of a Collimator archive, made %s. Who has it and a backup reads its keys.\n# public: %s\n%s\n",
		time.Now().UTC().Format(time.RFC3339), key.Public(), key.Secret())
	err = durable.Once(file, []byte(text), 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.Usage("--out: %s is there already; nothing was changed", file)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}

	now := time.Now().UTC()
	return in.setRecovery(ctx, recovery.State{Public: key.Public(), Made: now, Confirmed: now}, "a new recovery key was made")
}

func (in *Installation) setRecovery(ctx context.Context, s recovery.State, reason string) error {
	if err := s.Save(in.Config.Data); err != nil {
		return err
	}

	return in.Record(ctx, audit.Record{Event: audit.Maintained, Action: audit.Update, Reason: reason})
}

// ConfirmRecoveryKey holds a key that somebody typed against the public part: from
// now on it counts as kept. typed is asked where there is a key to confirm.
func (in *Installation) ConfirmRecoveryKey(ctx context.Context, typed func() (string, error)) error {
	s, err := recovery.Load(in.Config.Data)
	if err != nil {
		return err
	}
	if s.Public == "" {
		return fault.Usage("there is no recovery key yet; make one with --out FILE")
	}

	text, err := typed()
	if err != nil {
		return err
	}

	key, err := recovery.Parse(text)
	if err != nil {
		return fault.Ended(fault.Misused, err)
	}
	if key.Public() != s.Public {
		return errors.New("that is a recovery key, and not the one of this data directory; nothing was changed")
	}

	s.Confirmed = time.Now().UTC()
	return in.setRecovery(ctx, s, "somebody showed that the recovery key is kept")
}

// FirstRecoveryKey makes the recovery key of an installation that has none, and gives
// its secret to show: once, to whoever keeps it. It is kept nowhere here.
func (in *Installation) FirstRecoveryKey(ctx context.Context) (*recovery.Key, error) {
	key, err := recovery.New()
	if err != nil {
		return nil, err
	}
	s := recovery.State{Public: key.Public(), Made: time.Now().UTC()}
	return key, in.setRecovery(ctx, s, "the first recovery key was made")
}
