package main

import (
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/recovery"
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

		text, err := in.RecoveryKeyText()
		if err != nil {
			return err
		}
		return e.say("%s", text)
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
