package scan

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"collimator/internal/finding"
)

// host asks every open port of a host, web services first: they may tell the
// AE title. Management services are looked for where imaging was found and the
// operator did not name the ports.
func (v *visit) host(ctx context.Context, open []uint16, named bool) {
	slices.SortStableFunc(open, func(a, b uint16) int { return cmp.Compare(rank(a), rank(b)) })
	for _, port := range open {
		v.answers[port] = true
	}

	for _, port := range open {
		s := &finding.Service{Port: port, Kind: finding.KindOpen}
		v.facts.Services = append(v.facts.Services, s)
		err := v.examine(ctx, s)
		if errors.Is(err, errDistress) || ctx.Err() != nil || v.facts.Stopped != "" {
			break
		}
	}

	if v.facts.Stopped == "" && ctx.Err() == nil && !named && !v.opt.NoHost && v.imaging() {
		v.management(ctx, open)
	}

	slices.SortStableFunc(v.facts.Services, func(a, b *finding.Service) int { return cmp.Compare(a.Port, b.Port) })
}

func rank(port uint16) int {
	if slices.Contains(WebPorts(), port) {
		return 0
	}
	return 1
}

func (v *visit) imaging() bool {
	return slices.ContainsFunc(v.facts.Services, func(s *finding.Service) bool {
		return s.DICOM != nil || s.HL7 != nil || s.Web != nil && s.Web.Imaging
	})
}

// quiet are ports to which nothing is ever sent: what printers get there, they print.
func quiet(port uint16) bool {
	return port == 515 || port == 631 || port >= 9100 && port <= 9107
}

// examine finds out what speaks on a port and asks it.
func (v *visit) examine(ctx context.Context, s *finding.Service) error {
	switch {
	case slices.Contains(v.opt.HL7Ports, s.Port):
		return v.hl7(ctx, s)
	case quiet(s.Port):
		return nil
	case hostProtocol(s.Port) != "":
		return v.manage(ctx, s, hostProtocol(s.Port))
	}

	tries := []func(context.Context, *finding.Service) (bool, error){v.tryDICOM, v.tryTLS, v.tryWeb}
	switch {
	case s.Port == 443 || s.Port == 8443 || s.Port == 9993 || s.Port == 8843 || s.Port == 2761 || s.Port == 2762:
		tries = []func(context.Context, *finding.Service) (bool, error){v.tryTLS, v.tryDICOM, v.tryWeb}
	case rank(s.Port) == 0:
		tries = []func(context.Context, *finding.Service) (bool, error){v.tryWeb, v.tryDICOM, v.tryTLS}
	}

	for _, try := range tries {
		if done, err := try(ctx, s); done || err != nil {
			return err
		}
	}
	return nil
}

// tryDICOM asks in the clear; what answers in another way may be recognised by it.
func (v *visit) tryDICOM(ctx context.Context, s *finding.Service) (bool, error) {
	d := door{v: v, port: s.Port}
	ans, err := d.presence(ctx)
	if err != nil {
		return false, err
	}

	switch {
	case ans.Speaks():
		if err := v.dicom(ctx, s, d, ans); err != nil {
			return true, err
		}
		return true, v.tlsBeside(ctx, s)
	case bytes.HasPrefix(ans.raw, []byte("HTTP/")):
		return v.tryWeb(ctx, s)
	case len(ans.raw) > 2 && ans.raw[0] == 21 && ans.raw[1] == 3:
		return v.tryTLS(ctx, s)
	}

	// Whoever says something else first is neither DICOM nor TLS nor the web.
	return len(ans.raw) > 0, nil
}

// tlsBeside asks a plain DICOM port whether it speaks TLS too (TLS-001).
func (v *visit) tlsBeside(ctx context.Context, s *finding.Service) error {
	a, err := v.ask(ctx, s.Port, hello{version: tls12, suites: allSuites(), name: v.serverName(), tls13: true})
	if err != nil || a.version == 0 {
		return err
	}

	if s.DICOM.Stranger() || s.DICOM.RandomCalled.Source != 2 {
		_, err = v.speaksTLS(ctx, s)
		return err
	}
	// The provider rejects whatever comes without TLS: this is a port with TLS
	// that says so politely.
	plain := s.DICOM
	_, err = v.tryTLS(ctx, s)
	if s.DICOM == plain {
		s.DICOM, s.Product = nil, nil
		s.Kind = finding.KindOpen
	}
	return err
}

// tryTLS asks for TLS, and what speaks inside.
func (v *visit) tryTLS(ctx context.Context, s *finding.Service) (bool, error) {
	spoke, err := v.speaksTLS(ctx, s)
	if err != nil || !spoke {
		return spoke, err
	}
	if !s.TLS.Completed {
		return true, nil
	}

	inside := []func(context.Context, *finding.Service) (bool, error){v.dicomInside, v.webInside}
	if s.TLS.ALPN == "http/1.1" || s.TLS.ALPN == "" && rank(s.Port) == 0 {
		slices.Reverse(inside)
	}

	for _, try := range inside {
		if done, err := try(ctx, s); done || err != nil {
			return true, err
		}
	}
	return true, nil
}

func (v *visit) dicomInside(ctx context.Context, s *finding.Service) (bool, error) {
	d := door{v: v, port: s.Port, tls: true}
	ans, err := d.presence(ctx)
	if errors.Is(err, errDistress) || ctx.Err() != nil {
		return false, err
	}

	if err == nil && ans.Speaks() {
		s.TLS.Speaks = "dicom"
		s.TLS.Throwaway = s.TLS.ClientRequested
		return true, v.dicom(ctx, s, d, ans)
	}
	return false, nil
}

func (v *visit) webInside(ctx context.Context, s *finding.Service) (bool, error) {
	d := door{v: v, port: s.Port, tls: true}
	root, ok, err := d.fetch(ctx, rootRequest())
	if errors.Is(err, errDistress) || ctx.Err() != nil {
		return false, err
	}
	if !ok {
		return false, nil
	}

	s.TLS.Speaks = "http"
	return true, v.web(ctx, s, d, root)
}

func (v *visit) tryWeb(ctx context.Context, s *finding.Service) (bool, error) {
	d := door{v: v, port: s.Port}
	root, ok, err := d.fetch(ctx, rootRequest())
	if err != nil || !ok {
		return false, err
	}

	if root.page.Status == 400 {
		// Servers that speak TLS answer so to a request in the clear.
		if spoke, err := v.tryTLS(ctx, s); spoke || err != nil {
			return true, err
		}
	}

	return true, v.web(ctx, s, d, root)
}
