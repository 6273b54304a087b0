package house

import (
	"context"
	"net"
	"slices"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/api"
	"collimator/internal/sender"
)

// connection is how devices reach this archive, as far as the settings tell.
func (s *Server) connection() api.Connection {
	c := s.in.Config
	hosts := slices.Compact(slices.Sorted(slices.Values(ServerHosts(c))))
	x := api.Connection{AETitle: c.AE, Hosts: hosts, TLS: c.DICOM, DICOMweb: BestOrigin(c) + WebRoot}
	if _, port, err := net.SplitHostPort(c.PlainDICOM); err == nil && port != "" {
		x.Plain = c.PlainDICOM
	}
	return x
}

// echoMost is how long a device has for a C-ECHO.
const echoMost = 15 * time.Second

// echoDevice sends a C-ECHO to a registered device, in the name of this archive.
func (s *Server) echoDevice(ctx context.Context, aeTitle string) (api.Echo, error) {
	d, err := s.egress.Dialer(ctx, aeTitle)
	if err != nil {
		return api.Echo{}, err
	}
	ctx, end := context.WithTimeout(ctx, echoMost)
	defer end()

	began := time.Now()
	a, err := d.Dial(ctx, dimse.Propose([]string{uid.Verification}, sender.NativeSyntaxes(), false))
	if err == nil {
		if err = a.Echo(ctx); err != nil {
			a.Abort()
		} else {
			_ = a.Release(ctx) // it has answered
		}
	}
	if err != nil {
		return api.Echo{Why: string(sender.Whence(err))}, nil
	}
	return api.Echo{Answered: true, Milliseconds: float64(time.Since(began).Microseconds()) / 1000}, nil
}
