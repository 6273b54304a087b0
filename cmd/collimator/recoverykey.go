package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/term"

	"collimator/internal/audit"
	"collimator/internal/durable"
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
		return usageError("--out makes a new key that counts as confirmed; leave --confirm out")
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

// write makes a new key and its file. The file comes first: a public part whose
// secret nobody has would seal everything away.
func (c *recoveryKeyCmd) write(e *env, in *house.Installation) error {
	key, err := recovery.New()
	if err != nil {
		return err
	}
	text := fmt.Sprintf("# Recovery key of a Collimator archive, made %s. Who has it and a backup reads its keys.\n# public: %s\n%s\n",
		time.Now().UTC().Format(time.RFC3339), key.Public(), key.Secret())
	err = durable.Once(c.Out, []byte(text), 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usageError("--out: %s is there already; nothing was changed", c.Out)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	now := time.Now().UTC()
	if err := setRecovery(in, e, recovery.State{Public: key.Public(), Made: now, Confirmed: now}, "a new recovery key was made"); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "Wrote the recovery key to %s. Keep it where neither this machine nor the backup lies.\n"+
		"Copies that were made before need the key of their time.\n", c.Out)

	return err
}

func setRecovery(in *house.Installation, e *env, s recovery.State, reason string) error {
	if err := s.Save(in.Config.Data); err != nil {
		return err
	}

	return in.Record(e.ctx, audit.Record{Event: audit.Maintained, Action: audit.Update, Reason: reason})
}

// confirmRecovery holds a key that was typed against the public part.
func confirmRecovery(e *env, in *house.Installation) error {
	s, err := recovery.Load(in.Config.Data)
	if err != nil {
		return err
	}
	if s.Public == "" {
		return usageError("there is no recovery key yet; make one with --out FILE")
	}
	text, err := readRecovery(e)
	if err != nil {
		return err
	}
	key, err := recovery.Parse(text)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if key.Public() != s.Public {
		return errors.New("that is a recovery key, and not the one of this data directory; nothing was changed")
	}
	s.Confirmed = time.Now().UTC()
	if err := setRecovery(in, e, s, "somebody showed that the recovery key is kept"); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, "That is the recovery key of this data directory. It counts as kept.")

	return err
}

// keyFileMost bounds what is read of a file with a recovery key, in bytes.
const keyFileMost = 4096

// readRecovery reads a key at the terminal without echo, or from standard input.
func readRecovery(e *env) (string, error) {
	if f, ok := e.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(e.stderr, "Recovery key: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.stderr)

		return string(b), err
	}
	b, err := io.ReadAll(io.LimitReader(e.stdin, keyFileMost))

	return string(b), err
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
		state = "confirmed " + minute(s.Confirmed)
	}
	_, err = fmt.Fprintf(e.stdout, "public     %s\nmade       %s\nkept       %s\n", s.Public, minute(s.Made), state)

	return err
}

// firstRecovery makes the recovery key of a new installation and shows it once.
// It is not shown where standard output may be a log that others read and that
// keeps it: then somebody makes one into a file.
func firstRecovery(e *env, in *house.Installation) error {
	s, err := recovery.Load(in.Config.Data)
	if err != nil || s.Public != "" {
		return err
	}
	if !e.terminal() {
		_, err := fmt.Fprintf(e.stdout, "\nThere is no recovery key yet, and backups need one. Make it into a file that you keep elsewhere:\n"+
			"  %s recovery-key --data %s --out FILE\n", os.Args[0], in.Config.Data)
		return err
	}

	return newRecovery(e, in)
}

func newRecovery(e *env, in *house.Installation) error {
	key, err := recovery.New()
	if err != nil {
		return err
	}
	s := recovery.State{Public: key.Public(), Made: time.Now().UTC()}
	if err := setRecovery(in, e, s, "the first recovery key was made"); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "\nThe recovery key opens the keys in backups. It is shown this once and kept nowhere here.\nWrite it down and keep it elsewhere:\n"+
		"  %s\nThen: %s recovery-key --data %s --confirm\n", key.Secret(), os.Args[0], in.Config.Data)

	return err
}

// terminal reports that standard output is read by a person.
func (e *env) terminal() bool {
	f, ok := e.stdout.(*os.File)

	return ok && term.IsTerminal(int(f.Fd()))
}
