//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/synth"
	"collimator/interop/harness"
)

// attacksOnMessages are messages that do not end or are not what they say.
func attacksOnMessages() []gateAttack {
	return []gateAttack{{
		id: "UL-10", what: "a data set that never ends fills the memory of storescp", kind: storescp,
		harm: func(v *victim) {
			before := v.peak()
			c := v.itself().associate()
			endless(v.t, c, false, 96<<20)
			if grown := v.peak() - before; grown < 64 {
				v.t.Errorf("storescp took %d MiB: there is no harm to keep away", grown)
			}
		},
		attempt: func(g *gated) { endless(g.t, g.through(evil).associate(), false, 96<<20) },
		after:   stayedSmall,
	}, {
		id: "UL-10", what: "a command set that never ends", kind: storescp,
		why:     "it is cut off, or takes no memory that can be seen",
		attempt: func(g *gated) { endless(g.t, g.through(evil).associate(), true, 96<<20) },
		after:   stayedSmall,
	}, {
		id: "UL-10", what: "data in contexts that were not negotiated take all of storescp", kind: storescp,
		harm: func(v *victim) {
			confuses(v.itself())
			v.isBlocked()
		},
		attempt: func(g *gated) {
			for range 8 {
				confuses(g.through(evil))
			}
		},
	}, {
		id: "DM-01", what: "command sets that break the schema are answered", kind: qrscp,
		harm: func(v *victim) {
			if n := answeredCommands(v.itself(), "DM-01"); n == 0 {
				v.t.Error("dcmqrscp answers none: there is no harm to keep away")
			}
		},
		attempt: func(g *gated) {
			if n := answeredCommands(g.through(evil), "DM-01"); n > 0 {
				g.t.Errorf("%d are answered", n)
			}
		},
	}, {
		id: "DM-12", what: "ten thousand messages at once", kind: qrscp,
		why: "one message is answered after the other; what waits is in the buffers of the connection",
		attempt: func(g *gated) {
			for _, a := range synth.CommandAttacks() {
				if a.ID == "DM-12" {
					g.send(a)
				}
			}
		},
	}}
}

// stayedSmall fails the test of a victim that took memory.
func stayedSmall(v *victim) {
	v.t.Helper()
	if peak := v.peak(); peak > 64 {
		v.t.Errorf("%s had %d MiB", v.kind, peak)
	}
}

// endless sends a message of which the last fragment never comes.
func endless(t *testing.T, c net.Conn, command bool, bytes int) {
	t.Helper()
	if c == nil {
		t.Fatal("no association")
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if !command {
		in := synth.NewInstance(80, "endless")
		c.Write(synth.StoreRQ(1, in.SOPInstanceUID))
		data := synth.WithUIDs(in) // ends with 256 bytes of pixel data, of which there are 2 GiB
		at := len(data) - 256 - 4
		copy(data[at:], []byte{0, 0, 0, 0x7F})
		c.Write(synth.PData(3, false, false, data))
	}
	piece := synth.PData(3, command, false, make([]byte, 16000))
	for sent := 0; sent < bytes; sent += 16000 {
		if _, err := c.Write(piece); err != nil {
			return // cut off, which is as well
		}
	}
	time.Sleep(300 * time.Millisecond) // it takes what came
}

// confuses sends data in a context that was not negotiated, and leaves the connection open.
func confuses(to *target) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	done := make(chan net.Conn, 1)
	go func() { done <- to.associate() }()
	select {
	case c := <-done:
		if c != nil {
			c.Write(synth.StoreRQ(1, uid.New()))
			c.Write(synth.PData(99, false, true, make([]byte, 100)))
		}
	case <-ctx.Done(): // there is nobody left to answer
	}
}

// answeredCommands counts the malformed commands of an attack that are answered as if
// nothing were wrong with them.
func answeredCommands(to *target, id string) (n int) {
	to.t.Helper()
	for _, a := range synth.CommandAttacks() {
		if a.ID != id || a.Answer != synth.Refuses {
			continue
		}
		c := to.associate()
		if c == nil {
			to.t.Fatal("no association")
		}
		c.SetDeadline(time.Now().Add(patience))
		c.Write(a.Bytes)
		p, err := readPDU(c)
		if data, ok := p.(*ul.PDataTF); err == nil && ok {
			if cmd, err := dimse.DecodeCommand(data.Values[0].Data); err == nil && cmd.Status == dimse.Success {
				n++
			}
		}
		c.Close()
	}
	return n
}

// attacksOnQueries ask for more than anybody should get.
func attacksOnQueries() []gateAttack {
	return []gateAttack{{
		id: "DM-02", what: "a query without keys gives everything", kind: qrscp,
		harm: func(v *victim) {
			fill20(v.itself())
			if n, _, err := find(v.itself().open(findContext()), query(v.t, map[dicom.Tag]string{tag.PatientName: "*", tag.StudyInstanceUID: ""})); n != 20 || err != nil {
				v.t.Errorf("%d matches, %v: there is no harm to keep away", n, err)
			}
		},
		attempt: func(g *gated) {
			fill20(g.victim.itself())
			n, code, err := find(g.through(evil).open(findContext()), query(g.t, map[dicom.Tag]string{tag.PatientName: "*", tag.StudyInstanceUID: ""}))
			if n != 5 || code != dimse.OutOfResources || err != nil {
				g.t.Errorf("%d matches, status %s, %v", n, code, err)
			}
		},
	}, {
		id: "DM-02", what: "a pattern of stars keeps dcmqrscp busy", kind: qrscp,
		harm: func(v *victim) {
			v.itself().put(harness.Instance{PatientName: strings.Repeat("A", 60)}.DataSet(v.t))
			if took := starsTake(v.itself()); took < patience {
				v.t.Errorf("answered after %v: there is no harm to keep away", took)
			}
		},
		attempt: func(g *gated) {
			g.victim.itself().put(harness.Instance{PatientName: strings.Repeat("A", 60)}.DataSet(g.t))
			if took := starsTake(g.through(evil)); took >= patience {
				g.t.Errorf("answered after %v", took)
			}
		},
	}, {
		id: "DM-04", what: "somebody has a study sent to where it has no business", kind: qrscp,
		harm: func(v *victim) {
			// A system that knows STORE1 sends there whoever asks.
			at := harness.FreeAddress(v.t)
			area := v.t.TempDir()
			to := startVictim(v.t, storescp, at, nil, "-od", area)
			knows := startVictim(v.t, qrscp, harness.FreeAddress(v.t), map[string]string{"STORE1": at})
			study := uid.New()
			knows.itself().put(imageOf(v.t, study))
			if code := moves(knows.itself(), study, "STORE1"); code != dimse.Success || len(harness.Files(v.t, area)) != 1 {
				v.t.Errorf("status %s, %d files arrived: there is no harm to keep away\n%.1000s", code, len(harness.Files(v.t, area)), to.output.String())
			}
		},
		attempt: func(g *gated) {
			study := uid.New()
			g.through(evil).put(imageOf(g.t, study))
			for _, to := range []string{"STORE1", witness, "NOBODY", "10.0.0.1:104"} {
				if code := moves(g.through(evil), study, to); code != dimse.MoveDestinationUnknown {
					g.t.Errorf("to %s: %s", to, code)
				}
			}
			before := len(harness.Files(g.t, g.store1.Dir))
			if code := moves(g.through(witness), study, "STORE1"); code != dimse.Success || len(harness.Files(g.t, g.store1.Dir)) != before+1 {
				g.t.Errorf("who may has it sent with status %s", code)
			}
		},
	}, {
		id: "DM-05", what: "one retrieval gives everything", kind: qrscp,
		harm: func(v *victim) {
			fill20(v.itself())
			if n := takesAll(v.itself()); n < 20 {
				v.t.Errorf("%d instances: there is no harm to keep away", n)
			}
		},
		attempt: func(g *gated) {
			fill20(g.victim.itself())
			if n := takesAll(g.through(evil)); n > 0 {
				g.t.Errorf("%d instances", n)
			}
		},
	}, {
		id: "DM-10", what: "a report of storage commitment that nobody asked for is believed", kind: orthanc,
		harm: func(v *victim) { forgesACommitment(v) },
		attempt: func(g *gated) {
			for _, to := range []*target{g.through(evil), g.through(evil).to("STORE1"), g.through(evil).to(witness)} {
				if reports(to, "1.2.3.4") {
					g.t.Errorf("a forged report to %s is taken", to.called)
				}
			}
		},
	}, {
		id: "DM-01", what: "a key that is text where a sequence belongs ends wlmscpfs", kind: wlmscpfs, flags: []string{"--single-process"},
		harm: func(v *victim) {
			confusesKeys(v.itself())
			if !v.dies() {
				v.t.Error("wlmscpfs goes on: there is no harm to keep away")
			}
		},
		attempt: func(g *gated) {
			if code := confusesKeys(g.through(witness)); code.Class() != dimse.ClassFailure {
				g.t.Errorf("status %s", code)
			}
		},
	}, {
		id: "DM-11", what: "a stranger gets the worklist", kind: wlmscpfs,
		harm: func(v *victim) {
			if got := worklist(v.itself()); !strings.Contains(got, "ZZPHI-TODAY") {
				v.t.Errorf("wlmscpfs gives %q: there is no harm to keep away", got)
			}
		},
		attempt: func(g *gated) {
			for _, to := range []*target{g.stranger(), g.through(evil)} {
				if got := worklist(to); got != "" {
					g.t.Errorf("%s gets %q", to.calling, got)
				}
			}
			if got := worklist(g.through(witness)); !strings.Contains(got, "ZZPHI-TODAY") {
				g.t.Errorf("who may gets %q", got)
			}
		},
	}}
}

// imageOf is an image of a study.
func imageOf(t testing.TB, study string) *dicom.DataSet {
	t.Helper()
	return harness.Instance{Study: study}.DataSet(t)
}

// fill20 stores twenty studies.
func fill20(to *target) {
	to.t.Helper()
	for range 20 {
		to.put(imageOf(to.t, uid.New()))
	}
}

// starsTake is how long a name with many stars takes, at most ten seconds.
func starsTake(to *target) time.Duration {
	to.t.Helper()
	a := to.open(findContext())
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	began := time.Now()
	keys := query(to.t, map[dicom.Tag]string{tag.PatientName: strings.Repeat("*A", 28) + "*B", tag.StudyInstanceUID: ""})
	for range a.Find(ctx, dimse.FindRequest{SOPClassUID: uid.StudyRootFind, Identifier: keys}) {
	}
	return time.Since(began)
}

// moves asks for a study to be sent somewhere, and gives the status.
func moves(to *target, study, destination string) dimse.StatusCode {
	to.t.Helper()
	a := to.open(ul.ProposedContext{AbstractSyntax: uid.StudyRootMove, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}})
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	result, err := a.Move(ctx, dimse.MoveRequest{SOPClassUID: uid.StudyRootMove, MoveDestination: destination,
		Identifier: query(to.t, map[dicom.Tag]string{tag.StudyInstanceUID: study})})
	if refused, ok := errors.AsType[*dimse.StatusError](err); ok {
		return refused.Status.Code
	}
	if err != nil {
		to.t.Errorf("C-MOVE: %v", err)
	}
	return result.Status.Code
}

// takesAll retrieves whatever there is, in the ways that there are, and counts instances.
func takesAll(to *target) (most int) {
	to.t.Helper()
	for _, c := range []struct {
		root, level string
		keys        map[dicom.Tag]string
	}{
		{uid.StudyRootGet, "STUDY", map[dicom.Tag]string{tag.StudyInstanceUID: ""}},
		{uid.StudyRootGet, "STUDY", map[dicom.Tag]string{tag.StudyInstanceUID: "*"}},
		{uid.PatientRootGet, "PATIENT", map[dicom.Tag]string{tag.PatientID: "*"}},
		{uid.PatientRootGet, "PATIENT", map[dicom.Tag]string{tag.PatientID: ""}},
	} {
		a, err := to.dial(to.t.Context(), dimse.Config{
			Contexts: dimse.Propose([]string{c.root, uid.SecondaryCaptureImageStorage}, []string{uid.ExplicitVRLittleEndian}, false),
			Roles:    []ul.RoleSelection{{SOPClassUID: uid.SecondaryCaptureImageStorage, SCU: true, SCP: true}},
		})
		if err != nil {
			to.t.Fatal(err)
		}
		identifier := query(to.t, c.keys)
		if err := identifier.SetText(tag.QueryRetrieveLevel, c.level); err != nil {
			to.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		n := 0
		_, _ = a.Get(ctx, dimse.GetRequest{SOPClassUID: c.root, Identifier: identifier,
			Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
				_, _ = io.Copy(io.Discard, rq.Data)
				n++
				return dimse.Status{}
			}})
		cancel()
		a.Abort()
		most = max(most, n)
	}
	return most
}

// forgesACommitment has Orthanc ask a system that never answers whether its images are
// safe. A stranger answers.
func forgesACommitment(v *victim) {
	v.t.Helper()
	ds := imageOf(v.t, uid.New())
	v.itself().put(ds)
	never := dimse.NewMux(dimse.Unguarded)
	never.HandleN(dimse.NAction, func(context.Context, *dimse.Association, *dimse.NRequest) dimse.NResponse { return dimse.NResponse{} })
	address := harness.FreeAddress(v.t)
	serveMux(v.t, address, never)
	o := &archiveOf{t: v.t, rest: v.rest}
	o.call("PUT", "/modalities/never", []byte(fmt.Sprintf(`{"AET":"NEVER","Host":"127.0.0.1","Port":%d,"AllowStorageCommitment":true}`, portOf(address))))
	request, err := json.Marshal(map[string]any{"DicomInstances": []any{map[string]string{
		"SOPClassUID": ds.Text(tag.SOPClassUID), "SOPInstanceUID": ds.Text(tag.SOPInstanceUID),
	}}})
	if err != nil {
		v.t.Fatal(err)
	}
	transaction := o.field(o.call("POST", "/modalities/never/storage-commitment", request), "ID")

	reports(v.itself().as("NEVER"), transaction, ds) // whose title anybody may use
	if got := o.field(v.get("/storage-commitment/"+transaction), "Status"); got != "Success" {
		v.t.Errorf("Orthanc believes %q: there is no harm to keep away", got)
	}
}

// reports says that all is safe, and reports whether that was taken.
func reports(to *target, transaction string, instances ...*dicom.DataSet) bool {
	to.t.Helper()
	a, err := to.dial(to.t.Context(), dimse.Config{
		Contexts: dimse.Propose([]string{uid.StorageCommitmentPushModel}, []string{uid.ImplicitVRLittleEndian}, false),
		Roles:    []ul.RoleSelection{{SOPClassUID: uid.StorageCommitmentPushModel, SCU: true, SCP: true}},
	})
	if err != nil {
		return false
	}
	defer a.Abort()
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.TransactionUID, transaction); err != nil {
		to.t.Fatal(err)
	}
	var items []*dicom.DataSet
	for _, one := range instances {
		item := ds.NewItem()
		if err := errors.Join(item.SetText(tag.ReferencedSOPClassUID, one.Text(tag.SOPClassUID)),
			item.SetText(tag.ReferencedSOPInstanceUID, one.Text(tag.SOPInstanceUID))); err != nil {
			to.t.Fatal(err)
		}
		items = append(items, item)
	}
	ds.SetItems(tag.ReferencedSOPSequence, items...)
	_, err = a.EventReport(to.t.Context(), dimse.NRequest{
		SOPClassUID: uid.StorageCommitmentPushModel, SOPInstanceUID: uid.StorageCommitmentPushInstance, TypeID: 1, DataSet: ds,
	})
	return err == nil
}

// worklists writes a worklist, and one of another department where nobody should get to.
func worklists(t testing.TB, dir string) {
	t.Helper()
	for place, patient := range map[string]string{filepath.Join(dir, wlmscpfs): "ZZPHI-TODAY", filepath.Join(filepath.Dir(dir), "S", "V"): "ZZPHI-SECRET"} {
		if err := os.MkdirAll(place, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, "lockfile"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(harness.WriteFile(t, t.TempDir(), worklistEntry(t, patient)), filepath.Join(place, "one.wl")); err != nil {
			t.Fatal(err)
		}
	}
}

// confusesKeys asks for the worklist with a key of the wrong kind, and gives the status; 0 where
// there is no answer.
func confusesKeys(to *target) dimse.StatusCode {
	to.t.Helper()
	a, err := to.dial(to.t.Context(), dimse.Config{
		Contexts: dimse.Propose([]string{uid.ModalityWorklistFind}, []string{uid.ExplicitVRLittleEndian}, false),
	})
	if err != nil {
		to.t.Fatal(err)
	}
	defer a.Abort()
	keys := dicom.NewDataSet()
	if err := keys.SetText(tag.PatientID, ""); err != nil {
		to.t.Fatal(err)
	}
	keys.Set(dicom.NewText(tag.ScheduledProcedureStepSequence, dicom.LO, "x"))
	for _, err := range a.Find(to.t.Context(), dimse.FindRequest{SOPClassUID: uid.ModalityWorklistFind, Identifier: keys}) {
		if refused, ok := errors.AsType[*dimse.StatusError](err); ok {
			return refused.Status.Code
		}
	}
	return 0
}

// worklist asks for the worklist, and gives the patients.
func worklist(to *target) string {
	to.t.Helper()
	a, err := to.dial(to.t.Context(), dimse.Config{Contexts: []ul.ProposedContext{
		{ID: 1, AbstractSyntax: uid.ModalityWorklistFind, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}},
	}})
	if err != nil {
		return ""
	}
	defer a.Abort()
	keys := dicom.NewDataSet()
	step := keys.NewItem()
	if err := errors.Join(keys.SetText(tag.PatientID, ""), keys.SetText(tag.PatientName, ""), step.SetText(tag.Modality, "CT")); err != nil {
		to.t.Fatal(err)
	}
	keys.SetItems(tag.ScheduledProcedureStepSequence, step)
	var patients []string
	for m, err := range a.Find(to.t.Context(), dimse.FindRequest{SOPClassUID: uid.ModalityWorklistFind, Identifier: keys}) {
		if err == nil {
			patients = append(patients, m.Identifier.Text(tag.PatientID))
		}
	}
	return strings.Join(patients, " ")
}
