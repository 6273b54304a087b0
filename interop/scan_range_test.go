//go:build interop

package interop_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"collimator/dimse/ul"
	"collimator/internal/finding"
	"collimator/internal/scan"
)

// modality answers like an AE that lets everybody in and does nothing.
func modality(c net.Conn) {
	head := make([]byte, ul.HeaderLength)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		h, err := ul.ParseHeader(head, ul.Limits{})
		if err != nil {
			return
		}
		body := make([]byte, h.Length)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		var answer ul.PDU
		switch h.Type {
		case ul.TypeAssociateRQ:
			answer = accept(body)
		case ul.TypeReleaseRQ:
			answer = ul.ReleaseRP{}
		default:
			answer = ul.Abort{}
		}
		b, err := answer.AppendTo(nil)
		if err != nil {
			return
		}
		if _, err := c.Write(b); err != nil || h.Type != ul.TypeAssociateRQ {
			return
		}
	}
}

func accept(body []byte) ul.PDU {
	rq, err := ul.DecodeAssociateRQ(body, ul.Limits{})
	if err != nil || rq.ProtocolVersion&1 == 0 {
		return ul.AssociateRJ{Result: ul.RejectedPermanent, Source: 2, Reason: 2}
	}
	ac := &ul.AssociateAC{CalledAETitle: rq.CalledAETitle, CallingAETitle: rq.CallingAETitle, User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3"}}
	for _, pc := range rq.Contexts {
		result := ul.AbstractSyntaxNotSupported
		if pc.AbstractSyntax == "1.2.840.10008.1.1" {
			result = ul.Acceptance
		}
		ac.Contexts = append(ac.Contexts, ul.AcceptedContext{ID: pc.ID, Result: result, TransferSyntax: pc.TransferSyntaxes[0]})
	}
	return ac
}

func TestScanOfSixtyFiveThousandAddressesTakesMinutes(t *testing.T) {
	want := map[netip.Addr]finding.Kind{}
	for i := range 300 {
		a := netip.AddrFrom4([4]byte{127, 77, byte(i * 211), byte(i*37 + i/256*3 + 5)})
		switch {
		case i < 150:
			want[a] = finding.KindDICOM
			serve(t, netip.AddrPortFrom(a, scan.DICOMPorts()[i%14]).String(), modality)
		case i < 250:
			want[a] = finding.KindWeb
			serve(t, netip.AddrPortFrom(a, 8080).String(), web(200, nil))
		default:
			want[a] = finding.KindHL7
			serve(t, netip.AddrPortFrom(a, 2575).String(), func(c net.Conn) { io.Copy(io.Discard, c) })
		}
	}
	if len(want) != 300 {
		t.Fatalf("%d addresses, want 300", len(want))
	}
	target, err := scan.ParseTarget(t.Context(), "127.77.0.0/16", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	start := time.Now()
	r, err := scan.Run(ctx, scan.Options{Targets: target})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	fmt.Printf("65536 addresses, 300 services: %s, %d connections, %.0f/s, %d processors\n", took.Round(100*time.Millisecond), r.Connections, float64(r.Connections)/took.Seconds(), runtime.GOMAXPROCS(0))
	for _, h := range r.Hosts {
		kind, ok := want[h.Facts.Address]
		if !ok {
			t.Errorf("%s was invented", h.Facts.Address)
		}
		if len(h.Facts.Services) != 1 || h.Facts.Services[0].Kind != kind || h.Facts.Stopped != "" {
			t.Errorf("%s: %+v %s, want one of kind %s", h.Facts.Address, h.Facts.Services[0], h.Facts.Stopped, kind)
		}
		delete(want, h.Facts.Address)
	}
	if len(want) > 0 {
		t.Errorf("%d services were missed: %v", len(want), want)
	}
}
