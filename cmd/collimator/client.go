package main

import (
	"time"

	"collimator/internal/identity"
	"collimator/internal/sender"
)

// connectFlags say which AE to talk to and as whom.
type connectFlags struct {
	Peer    string        `arg:"" help:"Whom to call: AET@HOST:PORT." placeholder:"AET@HOST:PORT"`
	As      string        `help:"Directory with the AET.key.pem, AET.cert.pem and ca.pem that 'device add' wrote." placeholder:"DIR"`
	Key     string        `help:"Own key (PEM), instead of --as." placeholder:"FILE"`
	Cert    string        `help:"Own certificate (PEM)." placeholder:"FILE"`
	CA      string        `name:"ca" help:"Authority that vouches for the peer (PEM)." placeholder:"FILE"`
	Pin     string        `help:"SHA-256 fingerprint of the peer's certificate, instead of --ca." placeholder:"HEX"`
	AET     string        `name:"aet" help:"Own AE title. Default: the name in the own certificate." placeholder:"AET"`
	Plain   bool          `help:"Talk without TLS."`
	Timeout time.Duration `help:"How long to wait for the peer." default:"60s" bounds:"10ms to 1h"`
}

// peer is the AE that the flags name.
func (c connectFlags) peer() (*sender.Peer, error) {
	return sender.Calling(c).Find(identity.ServerUnit)
}
