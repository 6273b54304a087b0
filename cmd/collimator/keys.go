package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"collimator/internal/audit"
	"collimator/internal/durable"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/phrase"
	"collimator/internal/tlsprofile"
)

type keysCmd struct {
	Rotate    keysRotateCmd    `cmd:"" help:"Make a key anew that was stolen, or is old."`
	Authority keysAuthorityCmd `cmd:"" help:"Print the certificates of the archive's authority, for those that trust it."`
}

type keysRotateCmd struct {
	dataFlags
	What   string `arg:"" help:"server, authority, devices, ledger, sessions or pseudonyms." enum:"server,authority,devices,ledger,sessions,pseudonyms" placeholder:"WHAT"`
	Finish bool   `help:"Of authority: end the overlap. Who does not have the new certificate trusts the archive no more."`
}

func (keysRotateCmd) Help() string {
	return `server      the key of the archive's own certificate. A server that runs takes it up by itself.
authority   who vouches for it. Begins an overlap in which ca.pem, as 'device add' and 'device renew'
            write it, holds both; give it to all who trust the archive, then --finish.
devices     who issues certificates to devices from now on. Those that were issued go on.
ledger      the key that signs checkpoints. The old one vouches for it; old proofs stay verifiable.
sessions    signs everybody out; each session has a secret of its own.
pseudonyms  the key from which identities in copies for research are made. Copies that were made
            and those that come can no longer be brought together.

For authority --finish, ledger and pseudonyms the server must be stopped.

Example:
  collimator keys rotate server`
}

func (c *keysRotateCmd) Run(e *env) error {
	if c.Finish && c.What != "authority" {
		return usageError("--finish belongs to 'keys rotate authority'")
	}
	return c.with(e, func(in *installation) error {
		if c.Finish || c.What == "ledger" || c.What == "pseudonyms" {
			lock, err := lockData(in.config.Data)
			if err != nil {
				return err
			}
			defer lock.Close()
		}

		text, err := c.rotate(e, in)
		if err != nil {
			return err
		}
		what := c.What
		if c.Finish {
			what += ", to its end"
		}
		if err := in.afterRotation(e, c.What, audit.Record{Event: audit.Maintained, Action: audit.Update, Reason: "key rotated: " + what}); err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, text)
		return err
	})
}

// rotate makes the key and says what follows.
func (c *keysRotateCmd) rotate(e *env, in *installation) (string, error) {
	keys := filepath.Join(in.config.Data, keysDir)
	switch c.What {
	case "server":
		s, err := identity.RotateServer(in.authority, serverHosts(in.config))
		if err != nil {
			return "", err
		}
		cert, err := s.Get()
		if err != nil {
			return "", err
		}
		return "The archive has a new key. Who pinned its certificate pins this one: " + tlsprofile.Fingerprint(cert.Leaf), nil
	case "devices":
		return "Certificates of devices come from a new authority from now on. Those that were issued go on; 'collimator device renew AET --out DIR' replaces one.",
			in.authority.RotateDevices()
	case "authority":
		return c.rotateAuthority(in)
	case "sessions":
		n, err := in.registry.EndEverySession(e.ctx)
		return fmt.Sprintf("%s ended; everybody signs in again.", phrase.Count(n, "session has", "sessions have")), err
	case "ledger":
		public, err := in.ledger.RotateKey(e.ctx, keys)
		return "Checkpoints are signed with a new key from now on. Give it to who verifies:\n" + public, err
	}

	if err := durable.Remove(filepath.Join(keys, deidentifyKey)); err != nil {
		return "", err
	}
	return "The next start makes a new key for pseudonyms.", nil
}

func (c *keysRotateCmd) rotateAuthority(in *installation) (string, error) {
	if !c.Finish {
		return "From now on ca.pem holds both authorities. Give it to all who trust the archive: 'collimator keys authority > ca.pem'.\n" +
			"Then stop the server, 'collimator keys rotate authority --finish', and start it again.", in.authority.BeginRotation()
	}

	err := in.authority.FinishRotation()
	if errors.Is(err, identity.ErrNoRotation) {
		return "", usageError("there is nothing to finish; begin with 'collimator keys rotate authority'")
	}
	if err != nil {
		return "", err
	}
	if _, err := identity.RotateServer(in.authority, serverHosts(in.config)); err != nil {
		return "", err
	}
	return "The archive is vouched for by the new authority alone.", nil
}

// afterRotation records it. After that of the ledger the record is signed with
// the new key.
func (in *installation) afterRotation(e *env, what string, r audit.Record) error {
	if what != "ledger" {
		return in.record(e.ctx, r)
	}
	key, err := ledger.OpenKey(filepath.Join(in.config.Data, keysDir), ledgerName)
	if err != nil {
		return err
	}
	in.ledgerKey, in.ledger = key, ledger.New(in.db, key)
	in.trail = audit.New(in.db, in.ledger, time.Now)
	return in.record(e.ctx, r)
}

type keysAuthorityCmd struct {
	dataFlags
	Devices bool `help:"That of the devices instead: for devices that let each other in."`
}

func (keysAuthorityCmd) Help() string {
	return `While an authority is being rotated these are two.

Example:
  collimator keys authority > ca.pem
  collimator keys authority --devices > devices.pem`
}

func (c *keysAuthorityCmd) Run(e *env) error {
	return c.with(e, func(in *installation) error {
		pem := in.authority.CertPEM()
		if c.Devices {
			var err error
			if pem, err = in.authority.DevicesCertPEM(); err != nil {
				return err
			}
		}
		_, err := e.stdout.Write(pem)
		return err
	})
}
