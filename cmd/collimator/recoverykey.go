package main

import (
	"errors"
	"os"

	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/recovery"
	"collimator/internal/terminal"
)

type recoveryKeyCmd struct {
	dataFlags
	Out     string `help:"Make a new key, write it here, and count it as confirmed." placeholder:"FILE"`
	Confirm bool   `help:"Type the key back, or give it on standard input: it is kept, and no longer asked for."`
}

func (recoveryKeyCmd) Help() string {
	return `Backups hold the keys of the archive sealed to the recovery key. The data directory has its public
part alone: keep the key where neither this machine nor the backup lies, on paper too. Without it a
backup has no keys, and every device needs a new certificate.

A new key opens what is backed up from now on; keep the old one for older copies.

Examples:
  collimator recovery-key --data ./data --out /media/usb/recovery.key
  collimator recovery-key --data ./data --confirm
  collimator recovery-key --data ./data`
}

func (c *recoveryKeyCmd) Run(e *env) error {
	if c.Out != "" && c.Confirm {
		return fault.Usage("--out makes a new key that counts as confirmed; leave --confirm out")
	}

	return c.with(e, func(in *house.Installation) error {
		switch {
		case c.Out != "":
			return c.write(e, in)
		case c.Confirm:
			return confirmRecovery(e, in)
		}

		return showRecovery(e, in)
	})
}

// write makes a new key and its file.
func (c *recoveryKeyCmd) write(e *env, in *house.Installation) error {
	if err := in.WriteRecoveryKey(e.ctx, c.Out); err != nil {
		return err
	}
	return e.say("Wrote the recovery key to %s. Keep it where neither this machine nor the backup lies.\n"+
		"Copies that were made before need the key of their time.\n", c.Out)
}

// confirmRecovery takes a key that is typed.
func confirmRecovery(e *env, in *house.Installation) error {
	err := in.ConfirmRecoveryKey(e.ctx, func() (string, error) { return e.asking().Secret("Recovery key: ", recovery.FileMost) })
	if err != nil {
		return err
	}
	return e.say("That is the recovery key of this data directory. It counts as kept.\n")
}

func showRecovery(e *env, in *house.Installation) error {
	s, err := recovery.Load(in.Config.Data)
	if err != nil {
		return err
	}
	if s.Public == "" {
		return errors.New("there is no recovery key: make one with --out FILE")
	}

	state := "nobody has confirmed yet that it is kept: collimator recovery-key --confirm"
	if !s.Confirmed.IsZero() {
		state = "confirmed " + terminal.Minute(s.Confirmed)
	}
	return e.say("public     %s\nmade       %s\nkept       %s\n", s.Public, terminal.Minute(s.Made), state)
}

// firstRecovery makes the recovery key of a new installation and shows it once.
// It is not shown where standard output may be a log that others read and that
// keeps it: then somebody makes one into a file.
func firstRecovery(e *env, in *house.Installation) error {
	s, err := recovery.Load(in.Config.Data)
	if err != nil || s.Public != "" {
		return err
	}
	if !terminal.Attended(e.stdout) {
		return e.say("\nThere is no recovery key yet, and backups need one. Make it into a file that you keep elsewhere:\n"+
			"  %s recovery-key --data %s --out FILE\n", os.Args[0], in.Config.Data)
	}

	return newRecovery(e, in)
}

func newRecovery(e *env, in *house.Installation) error {
	key, err := in.FirstRecoveryKey(e.ctx)
	if err != nil {
		return err
	}
	return e.say("\nThe recovery key opens the keys in backups. It is shown this once and kept nowhere here.\n"+
		"Write it down and keep it elsewhere:\n"+
		"  %s\nThen: %s recovery-key --data %s --confirm\n", key.Secret(), os.Args[0], in.Config.Data)
}
