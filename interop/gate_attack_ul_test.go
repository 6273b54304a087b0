//go:build interop

package interop_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/synth"
)

// attacksOnAssociations take away the service before anything is said.
func attacksOnAssociations() (all []gateAttack) {
	for _, kind := range []string{qrscp, storescp, orthanc} {
		all = append(all, gateAttack{
			id: "UL-01", what: "three bytes and silence block " + kind, kind: kind,
			harm: func(v *victim) {
				v.itself().connect().Write([]byte{1, 0, 0})
				v.isBlocked()
			},
			attempt: func(g *gated) {
				for range 5 {
					g.through(evil).connect().Write([]byte{0x16, 3, 1})
					g.through(evil).channel().Write([]byte{1, 0, 0})
				}
			},
		}, gateAttack{
			id: "UL-02", what: "a request that drips blocks " + kind, kind: kind,
			harm: func(v *victim) {
				defer drips(v.itself().connect(), synth.NewRequest("STRANGER", v.kind).Bytes())()
				v.isBlocked()
			},
			attempt: func(g *gated) {
				g.t.Cleanup(drips(g.through(evil).channel(), synth.NewRequest(evil, g.victim.kind).Bytes()))
			},
		})
	}

	return append(all, gateAttack{
		id: "UL-02", what: "an object that drips blocks storescp", kind: storescp,
		harm: func(v *victim) {
			defer dripsAnObject(v.itself())()
			v.isBlocked()
		},
		attempt: func(g *gated) { g.t.Cleanup(dripsAnObject(g.through(evil))) },
	}, gateAttack{
		id: "UL-06", what: "sixteen associations that do nothing take all of dcmqrscp", kind: qrscp,
		harm: func(v *victim) {
			holds(v.itself(), 16)
			v.isBlocked()
		},
		attempt: func(g *gated) { holds(g.through(evil), 40) },
	}, gateAttack{
		id: "UL-06", what: "one association that does nothing takes all of storescp", kind: storescp,
		harm: func(v *victim) {
			holds(v.itself(), 1)
			v.isBlocked()
		},
		attempt: func(g *gated) { holds(g.through(evil), 40) },
	}, gateAttack{
		id: "UL-06", what: "four associations that do nothing take all of Orthanc", kind: orthanc,
		harm: func(v *victim) {
			holds(v.itself(), 12)
			v.isBlocked()
		},
		attempt: func(g *gated) { holds(g.through(evil), 40) },
	},
		pduAttacks("UL-03", qrscp, "lengths beyond its own are refused before anything is allocated"),
		pduAttacks("UL-04", orthanc, "items that do not fit are refused, or cost nothing that can be seen"),
		pduAttacks("UL-05", qrscp, "130 contexts are taken, and cost nothing that can be seen"),
		pduAttacks("UL-08", orthanc, "60,000 bytes of user identity are taken, and cost nothing that can be seen"),
		pduAttacks("UL-09", qrscp, "a connection whose PDUs are out of turn is aborted"),
		pduAttacks("UL-11", orthanc, "connections of other protocols are closed"))
}

// isBlocked fails the test where a victim still serves.
func (v *victim) isBlocked() {
	v.t.Helper()
	for range 5 {
		if !v.itself().as("WS1").serves(patience) {
			return
		}
	}
	v.t.Errorf("%s serves another caller: there is no harm to keep away", v.kind)
}

// drips writes a byte now and then until stop is called.
func drips(c net.Conn, b []byte) (stop func()) {
	end := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for _, one := range b {
			if _, err := c.Write([]byte{one}); err != nil {
				return
			}
			select {
			case <-end:
				return
			case <-time.After(time.Second):
			}
		}
	})
	return func() {
		close(end)
		c.Close()
		writing.Wait()
	}
}

// dripsAnObject sends an image of which the pixel data come a byte a second.
func dripsAnObject(to *target) (stop func()) {
	to.t.Helper()
	in := synth.NewInstance(70, to.from+"drip")
	c := to.associate()
	if c == nil {
		to.t.Fatal("no association")
	}
	data := synth.WithUIDs(in)
	c.Write(synth.StoreRQ(1, in.SOPInstanceUID))
	c.Write(synth.PData(3, false, false, data[:len(data)-200]))
	return drips(c, synth.PData(3, false, true, data[len(data)-200:]))
}

// holds opens associations and leaves them open until the test ends.
func holds(to *target, n int) {
	to.t.Helper()
	for range n {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		a, err := to.dial(ctx, dimse.Config{Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false)})
		cancel()
		if err != nil {
			return // there are no more to be had
		}
		to.t.Cleanup(a.Abort)
	}
}

// pduAttacks are malformed PDUs, of which none of the victims shows harm.
func pduAttacks(id, kind, why string) gateAttack {
	return gateAttack{id: id, what: "malformed PDUs", kind: kind, why: why, attempt: func(g *gated) {
		n := 0
		for _, a := range synth.PDUAttacks(evil, g.victim.kind) {
			if a.ID == id && a.Answer != synth.Waits {
				g.send(a)
				n++
			}
		}
		if n == 0 {
			g.t.Errorf("there is no attack %s", id)
		}
	}}
}

// send sends an attack that synth made, and looks that it is not accepted where it must not
// be.
func (g *gated) send(a synth.Attack) {
	g.t.Helper()
	to := g.through(evil)
	var c net.Conn
	switch a.Channel {
	case synth.Opening:
		c = to.channel()
	case synth.Associated:
		c = to.associate()
	case synth.PlainTCP:
		c = to.connect()
	case synth.PlainPort:
		to.address = g.server.Plain
		c = to.connect()
	}
	if c == nil {
		g.t.Errorf("%s: no association", a.Name)
		return
	}

	defer c.Close()
	c.SetDeadline(time.Now().Add(artim + answerTime))
	var writing sync.WaitGroup
	writing.Go(func() { c.Write(a.Bytes) }) // it may be read no further
	ended, accepted, err := drain(c, a.Answer == synth.Accepts)
	c.Close()
	writing.Wait()
	switch {
	case a.Answer == synth.Refuses && (!ended || a.Channel != synth.Associated && accepted):
		g.t.Errorf("%s: ended %v, accepted %v: %v", a.Name, ended, accepted, err)
	case a.Answer == synth.Accepts && !accepted:
		g.t.Errorf("%s: the association was not accepted: %v", a.Name, err)
	}
}

// attacksOnTitles come with the names of others.
func attacksOnTitles() []gateAttack {
	return []gateAttack{{
		id: "UL-07", what: "a called title that is a path gives the worklist of another", kind: wlmscpfs,
		harm: func(v *victim) {
			if got := worklist(v.itself().to("../S/V")); !strings.Contains(got, "ZZPHI-SECRET") {
				v.t.Errorf("wlmscpfs gives %q: there is no harm to keep away", got)
			}
		},
		attempt: func(g *gated) {
			for _, to := range []*target{g.stranger(), g.through(evil), g.through(witness)} {
				if got := worklist(to.to("../S/V")); got != "" {
					g.t.Errorf("%s gets %q", to.calling, got)
				}
			}
		},
	}, {
		id: "UL-07", what: "a calling title with a line break forges a line of the log", kind: qrscp,
		harm: func(v *victim) {
			forgesALine(v.itself())
			if !v.says("\nI: forged line") {
				v.t.Errorf("the log holds no forged line: there is no harm to keep away\n%.2000s", v.output.String())
			}
		},
		attempt: func(g *gated) { forgesALine(g.through(evil)) },
		after: func(v *victim) {
			if strings.Contains(v.output.String(), "forged line") {
				v.t.Error("the log of the system behind holds a forged line")
			}
		},
	}, {
		id: "UL-12", what: "a stranger with the title of a device gets what that gets", kind: orthanc,
		flags: []string{witness},
		harm: func(v *victim) {
			study := uid.New()
			v.itself().put(imageOf(v.t, study))
			if n, _, err := find(v.itself().as(witness).open(findContext()), query(v.t, map[dicom.Tag]string{tag.StudyInstanceUID: study})); n != 1 || err != nil {
				v.t.Errorf("a stranger finds %d studies, %v: there is no harm to keep away", n, err)
			}
		},
		attempt: func(g *gated) {
			for _, to := range []*target{g.through(evil).as(witness), g.through(evil).as(orthanc), g.stranger()} {
				if _, err := to.dial(g.t.Context(), dimse.Config{Contexts: []ul.ProposedContext{findContext()}}); err == nil {
					g.t.Errorf("somebody with another's certificate is let in as %s", to.calling)
				}
			}
		},
	}, {
		id: "UL-13", what: "the answer to a title tells whether there is one", kind: qrscp,
		harm: func(v *victim) {
			if sweep(v.itself(), v.kind, "WRONG") < 2 {
				v.t.Error("a wrong title is answered like the right one: there is no harm to keep away")
			}
		},
		attempt: func(g *gated) {
			if n := sweep(g.stranger(), g.victim.kind, "WRONG", orthanc, "STORE1", witness); n != 1 {
				g.t.Errorf("a stranger gets %d different answers", n)
			}
		},
	}, {
		id: "UL-14", what: "a wrong passcode is taken", kind: orthanc,
		harm: func(v *victim) {
			if !identifies(v.itself()) {
				v.t.Error("a wrong passcode is refused: there is no harm to keep away")
			}
		},
		attempt: func(g *gated) {
			if identifies(g.through(evil)) {
				g.t.Error("a wrong passcode is taken")
			}
		},
	}}
}

// forgesALine asks for an association with a title of two lines.
func forgesALine(to *target) {
	rq := synth.NewRequest("", to.called)
	rq.CallingField = []byte("EVIL\nforged line")
	c := to.channel()
	defer c.Close()
	c.SetDeadline(time.Now().Add(answerTime))
	c.Write(rq.Bytes())
	_, _ = readPDU(c)
}

// says waits a little for a text in the output of a victim.
func (v *victim) says(text string) bool {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(v.output.String(), text) {
			return true
		}
	}
	return false
}

// sweep counts the different answers to called titles.
func sweep(to *target, titles ...string) int {
	answers := map[string]bool{}
	for _, title := range titles {
		a, err := to.to(title).dial(context.Background(), dimse.Config{
			Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false),
		})
		if err == nil {
			a.Abort()
			answers["accepted"] = true
			continue
		}
		answers[err.Error()] = true
	}
	return len(answers)
}

// identifies reports that an association with a wrong passcode, which asks for an answer to that, is
// accepted.
func identifies(to *target) bool {
	rq := &ul.AssociateRQ{
		CalledAETitle: to.called, CallingAETitle: to.calling, ApplicationContext: ul.DICOMApplicationContext,
		Contexts: dimse.Propose([]string{uid.Verification}, []string{uid.ImplicitVRLittleEndian}, false),
		User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3", Identity: &ul.UserIdentity{
			Kind: ul.IdentityUsernamePasscode, PositiveResponseRequested: true,
			Primary: ul.NewSecret([]byte("admin")), Secondary: ul.NewSecret([]byte("wrong")),
		}},
	}
	b, err := rq.AppendTo(nil)
	if err != nil {
		to.t.Fatal(err)
	}
	c := to.channel()
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	c.Write(b)
	p, err := readPDU(c)
	return err == nil && p.Type() == ul.TypeAssociateAC
}
