package main

import (
	"collimator/internal/house"
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
	return c.with(e, func(in *house.Installation) error {
		text, err := in.RotateKey(e.ctx, c.What, c.Finish)
		if err != nil {
			return err
		}
		return e.say("%s\n", text)
	})
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
	return c.with(e, func(in *house.Installation) error {
		pem := in.Authority.CertPEM()
		if c.Devices {
			var err error
			if pem, err = in.Authority.DevicesCertPEM(); err != nil {
				return err
			}
		}
		_, err := e.stdout.Write(pem)
		return err
	})
}
