//go:build interop

package interop_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/synth"
	"collimator/interop/harness"
)

// attacks sends the attacks of one id and checks the answer to each.
func (h *hostile) attacks(id string, all []synth.Attack) {
	h.Helper()
	n := 0
	for _, a := range all {
		if a.ID != id || a.Answer == synth.Waits {
			continue
		}
		n++
		h.attack(a)
	}
	if n == 0 {
		h.Errorf("there is no attack %s", id)
	}
	h.witness()
}

func (h *hostile) attack(a synth.Attack) {
	h.Helper()
	var c net.Conn
	switch a.Channel {
	case synth.Opening:
		c = h.dial()
	case synth.Associated:
		c = h.associate()
	case synth.PlainTCP:
		c = h.tcp(h.s.Address)
	case synth.PlainPort:
		c = h.tcp(h.s.Plain)
	}
	defer c.Close()
	began := time.Now()
	c.SetDeadline(began.Add(artim + answerTime))
	var writing sync.WaitGroup
	writing.Go(func() { c.Write(a.Bytes) }) // the server may stop reading
	ended, accepted, err := drain(c, a.Answer == synth.Accepts)
	took := time.Since(began)
	c.Close()
	writing.Wait()
	switch {
	case a.Answer == synth.Refuses && !ended:
		h.Errorf("%s: the connection is still open after %v: %v", a.Name, took, err)
	case a.Answer == synth.Refuses && accepted:
		h.Errorf("%s: the association was accepted", a.Name)
	case a.Answer == synth.Refuses && took > answerTime:
		h.Errorf("%s: took %v", a.Name, took)
	case a.Answer == synth.Accepts && !accepted:
		h.Errorf("%s: the association was not accepted", a.Name)
	}
}

// drain reads PDUs until the peer ends or refuses the association, or, with
// until, accepts it. It stops after a second without an answer.
func drain(c net.Conn, until bool) (ended, accepted bool, err error) {
	for {
		p, err := readPDU(c)
		if err != nil {
			var timeout net.Error
			return !(errors.As(err, &timeout) && timeout.Timeout()), accepted, err
		}
		switch p.Type() {
		case ul.TypeAssociateRJ, ul.TypeAbort, ul.TypeReleaseRP:
			return true, accepted, nil
		case ul.TypeAssociateAC:
			if accepted = true; until {
				return false, true, nil
			}
			c.SetDeadline(time.Now().Add(time.Second))
		}
	}
}

// silence is UL-01.
func silence(h *hostile) {
	var open []net.Conn
	began := time.Now()
	for range 5 {
		raw, inside := h.tcp(h.s.Address), h.dial()
		raw.Write([]byte{0x16, 3, 1})
		inside.Write([]byte{1, 0, 0})
		open = append(open, raw, inside)
	}
	h.witness()
	for _, c := range open {
		c.SetReadDeadline(began.Add(artim + answerTime))
		_, err := io.Copy(io.Discard, c)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			h.Errorf("the connection is open after %v", time.Since(began))
		}
	}
	if d := time.Since(began); d < artim-time.Second {
		h.Errorf("all connections were closed after %v already", d)
	}
}

// drip is UL-02: a byte every second in a request, two every nine in P-DATA.
func drip(h *hostile) {
	slow := func(c net.Conn, b []byte, piece int, pause, most time.Duration) {
		began := time.Now()
		for len(b) > 0 && time.Since(began) < most {
			n := min(piece, len(b))
			if _, err := c.Write(b[:n]); err != nil {
				return
			}
			b = b[n:]
			time.Sleep(pause)
		}
		if d := time.Since(began); d >= most {
			h.Errorf("a slow peer was served for %v", d)
		}
	}
	request, data := h.dial(), h.associate()
	if _, err := data.Write(synth.StoreRQ(1, uid.New())); err != nil {
		h.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		slow(request, synth.NewRequest(attacker, harness.AETitle).Bytes(), 1, time.Second, artim+2*time.Second)
	})
	all.Go(func() { slow(data, synth.PData(3, false, false, make([]byte, 4096)), 2, 9*time.Second, 90*time.Second) })
	h.witness()
	all.Wait()
}

// connectionFlood is UL-06.
func connectionFlood(h *hostile) {
	var open []net.Conn
	refused := 0
	for range 150 { // silent connections, beyond the cap of an address
		c := h.tcp(h.s.Address)
		open = append(open, c)
	}
	h.witness()
	for _, c := range open {
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
			refused++
		}
		c.Close()
	}
	if refused < 50 {
		h.Errorf("of 150 silent connections of one address %d were refused", refused)
	}
	began := time.Now()
	var wg sync.WaitGroup
	for range 4 { // requests and connections that are closed at once
		wg.Go(func() {
			for time.Since(began) < 3*time.Second {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(attackerAddress)}, Timeout: time.Second}
				if c, err := d.Dial("tcp", h.s.Address); err == nil {
					c.Write(synth.NewRequest("FLOOD", harness.AETitle).Bytes())
					c.Close()
				}
			}
		})
	}
	h.witness()
	wg.Wait()
	if n := len(h.s.Output()); n > 200<<10 {
		h.Errorf("the flood wrote %d bytes of log", n)
	}
}

// fragments is UL-10: what is malformed, and a data set that never ends.
func fragments(h *hostile) {
	pdus("UL-10")(h)
	c := h.associate()
	c.Write(synth.StoreRQ(1, uid.New()))
	piece := synth.PData(3, false, false, make([]byte, 16000))
	for range 6000 { // 96 MB
		if _, err := c.Write(piece); err != nil {
			break // refused in the middle, which is as well
		}
	}
	h.witness()
}

// otherProtocols is UL-11; the listener without TLS is open for another device.
func otherProtocols(h *hostile) {
	h.s.Must("device", "add", "OLD1", "--data", h.s.Data, "--plaintext", "--address", "127.0.0.1", "--until", time.Now().AddDate(0, 0, 2).Format(time.DateOnly))
	if !harness.WaitListening(h.s.Plain, 10*time.Second) {
		h.Fatal("the listener without TLS did not open")
	}
	pdus("UL-11")(h)
}

// spoofing is UL-12.
func spoofing(h *hostile) {
	h.register("FIXED", "--address", "127.0.0.1")
	for name, a := range map[string]struct{ keys, title string }{
		"another's title":                {attacker, witness},
		"own title from another address": {"FIXED", "FIXED"},
	} {
		_, err := h.ask(a.keys, dimse.Config{CallingAETitle: a.title})
		if _, ok := errors.AsType[*dimse.RejectError](err); !ok {
			h.Errorf("%s: got %v, want a rejection", name, err)
		}
	}
	for _, reason := range []string{"the certificate is not bound to this AE title", "registered for another address"} {
		if !h.s.Says(reason) {
			h.Errorf("the log does not say %q", reason)
		}
	}
}

// titleGuessing is UL-13.
func titleGuessing(h *hostile) {
	answers := map[dimse.RejectError]bool{}
	for _, a := range []struct{ calling, called string }{{attacker, "WRONG"}, {"NOBODY", harness.AETitle}, {"NOBODY", "WRONG"}, {witness, harness.AETitle}} {
		_, err := h.ask(attacker, dimse.Config{CallingAETitle: a.calling, CalledAETitle: a.called})
		rejected, ok := errors.AsType[*dimse.RejectError](err)
		if !ok {
			h.Fatalf("%s to %s: got %v", a.calling, a.called, err)
		}
		answers[*rejected] = true
	}
	if len(answers) != 1 {
		h.Errorf("wrong titles get %d different answers", len(answers))
	}
}

// identityReplay is UL-14. A check of a password takes 64 MiB, so many at a
// time must not run at a time.
func identityReplay(h *hostile) {
	h.bound = 384 << 20
	try := func(kind ul.IdentityType) error {
		id := &ul.UserIdentity{Kind: kind, PositiveResponseRequested: true, Primary: ul.NewSecret([]byte("admin"))}
		if kind == ul.IdentityUsernamePasscode {
			id.Secondary = ul.NewSecret([]byte("captured"))
		}
		_, err := h.ask(attacker, dimse.Config{CallingAETitle: attacker, Identity: id})
		return err
	}
	for _, kind := range []ul.IdentityType{ul.IdentityUsernamePasscode, ul.IdentityKerberos, ul.IdentitySAML, ul.IdentityJWT} {
		err := try(kind)
		if _, ok := errors.AsType[*dimse.RejectError](err); !ok {
			h.Errorf("identity of type %d is not rejected: %v", kind, err)
		}
	}
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() { try(ul.IdentityUsernamePasscode) })
	}
	h.witness()
	all.Wait()
	if strings.Contains(h.s.Output(), "captured") {
		h.Error("the log holds a credential")
	}
}
