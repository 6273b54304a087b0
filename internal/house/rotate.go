package house

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"collimator/internal/audit"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/identity"
	"collimator/internal/ledger"
	"collimator/internal/phrase"
	"collimator/internal/tlsprofile"
)

// RotateKey makes a key anew and says what follows: server, authority, devices,
// ledger, sessions or pseudonyms. finish ends the overlap of an authority. For
// authority with finish, ledger and pseudonyms it holds the lock of the directory,
// which a server that runs has.
func (in *Installation) RotateKey(ctx context.Context, what string, finish bool) (string, error) {
	if finish && what != "authority" {
		return "", fault.Usage("--finish belongs to 'keys rotate authority'")
	}
	if finish || what == "ledger" || what == "pseudonyms" {
		lock, err := LockData(in.Config.Data)
		if err != nil {
			return "", err
		}
		defer lock.Close()
	}

	text, err := in.rotate(ctx, what, finish)
	if err != nil {
		return "", err
	}
	reason := "key rotated: " + what
	if finish {
		reason += ", to its end"
	}
	return text, in.afterRotation(ctx, what, audit.Record{Event: audit.Maintained, Action: audit.Update, Reason: reason})
}

func (in *Installation) rotate(ctx context.Context, what string, finish bool) (string, error) {
	keys := filepath.Join(in.Config.Data, KeysDir)
	switch what {
	case "server":
		s, err := identity.RotateServer(in.Authority, ServerHosts(in.Config))
		if err != nil {
			return "", err

		}
		cert, err := s.Get()
		if err != nil {
			return "", err
		}

		return "The archive has a new key. Who pinned its certificate pins this one: " + tlsprofile.Fingerprint(cert.Leaf), nil
	case "devices":
		return "Certificates of devices come from a new authority from now on. Those that were issued go on; " +
				"'collimator device renew AET --out DIR' replaces one.",
			in.Authority.RotateDevices()
	case "authority":
		return in.rotateAuthority(finish)
	case "sessions":
		n, err := in.Registry.EndEverySession(ctx)
		return fmt.Sprintf("%s ended; everybody signs in again.", phrase.Count(n, "session has", "sessions have")), err
	case "ledger":
		public, err := in.Ledger.RotateKey(ctx, keys)
		return "Checkpoints are signed with a new key from now on. Give it to who verifies:\n" + public, err
	}

	if err := durable.Remove(filepath.Join(keys, DeidentifyKey)); err != nil {
		return "", err
	}
	return "The next start makes a new key for pseudonyms.", nil
}

func (in *Installation) rotateAuthority(finish bool) (string, error) {
	if !finish {
		return "From now on ca.pem holds both authorities. Give it to all who trust the archive: 'collimator keys authority > ca.pem'.\n" +
			"Then stop the server, 'collimator keys rotate authority --finish', and start it again.", in.Authority.BeginRotation()
	}

	err := in.Authority.FinishRotation()
	if errors.Is(err, identity.ErrNoRotation) {
		return "", fault.Usage("there is nothing to finish; begin with 'collimator keys rotate authority'")
	}
	if err != nil {
		return "", err
	}
	if _, err := identity.RotateServer(in.Authority, ServerHosts(in.Config)); err != nil {
		return "", err
	}
	return "The archive is vouched for by the new authority alone.", nil
}

// afterRotation records it. After that of the ledger the record is signed with
// the new key.
func (in *Installation) afterRotation(ctx context.Context, what string, r audit.Record) error {
	if what != "ledger" {
		return in.Record(ctx, r)
	}
	key, err := ledger.OpenKey(filepath.Join(in.Config.Data, KeysDir), LedgerName)
	if err != nil {
		return err
	}
	in.LedgerKey = key
	in.Ledger = ledger.New(in.DB, key)
	in.Trail = audit.New(in.DB, in.Ledger, time.Now)
	return in.Record(ctx, r)
}
