//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/db"
	"collimator/internal/ledger"
	"collimator/internal/synth"
	"collimator/interop/harness"
)

// wrongClass is DM-01: the SOP Class differs from that of the context.
func wrongClass(h *hostile) {
	for _, a := range synth.WrongClass() {
		c := h.associate()
		if _, err := c.Write(a.Bytes); err != nil {
			h.Fatal(err)
		}
		if code := status(h.T, c); code != dimse.SOPClassNotSupported {
			h.Errorf("%s: status %s", a.Name, code)
		}
	}
}

func findContext() ul.ProposedContext {
	return ul.ProposedContext{AbstractSyntax: uid.StudyRootFind, TransferSyntaxes: []string{uid.ExplicitVRLittleEndian}}
}

// fill stores a study of two small series and gives its files.
func (h *hostile) fill(seed uint64) []*dicom.File {
	h.Helper()
	var files []*dicom.File
	for f := range synth.Study(synth.CT, synth.Options{Seed: seed, Images: 2, Rows: 32, Columns: 32}) {
		files = append(files, f)
		code, err := h.store(uid.CTImageStorage, f.DataSet.Text(tag.SOPInstanceUID), f.TransferSyntax, bytes.NewReader(synth.DataSet(f)))
		if err != nil || code != dimse.Success {
			h.Fatalf("store: %s %v", code, err)
		}
	}
	return files
}

// queryBombs is DM-02.
func queryBombs(h *hostile) {
	h.fill(1)
	many := query(h.T, nil)
	for i := range 10_000 {
		many.Set(dicom.NewElement(dicom.Tag(0x00090000+uint32(i%0xFFF)+0x1000+uint32(i/0xFFF)<<17), dicom.LO, []byte("ZZPHI*")))
	}
	deep := dicom.NewDataSet()
	for range 60 {
		next := dicom.NewDataSet()
		next.SetItems(tag.ReferencedStudySequence, deep)
		deep = next
	}
	if err := deep.SetText(tag.QueryRetrieveLevel, "STUDY"); err != nil {
		h.Fatal(err)
	}
	list := query(h.T, nil)
	if err := list.SetText(tag.StudyInstanceUID, slices.Repeat([]string{"1.2.3"}, 1000)...); err != nil {
		h.Fatal(err)
	}
	stars := strings.Repeat("*?", 32)
	for _, c := range []struct {
		name    string
		keys    *dicom.DataSet
		refused bool
	}{
		{"10,000 keys", many, true},
		{"sixty sequences inside one another", deep, false},
		{"stars and question marks", query(h.T, map[dicom.Tag]string{tag.PatientName: stars, tag.PatientID: stars, tag.StudyDescription: stars, tag.AccessionNumber: "****************"}), false},
		{"a range without ends", query(h.T, map[dicom.Tag]string{tag.StudyDate: "-"}), false},
		{"a range that ends before it begins", query(h.T, map[dicom.Tag]string{tag.StudyDate: "99991231-00010101"}), false},
		{"a list of 1,000 UIDs", list, false},
	} {
		a := h.open(attacker, findContext())
		began := time.Now()
		n, code, err := find(a, c.keys)
		if err != nil {
			h.Errorf("%s: the association ended: %v", c.name, err)
		}
		if c.refused && code == dimse.Success {
			h.Errorf("%s: %d matches, status %s", c.name, n, code)
		}
		if d := time.Since(began); d > answerTime {
			h.Errorf("%s: took %v", c.name, d)
		}
		a.Abort()
	}
}

// injection is DM-03.
func injection(h *hostile) {
	files := h.fill(2)
	a := h.open(attacker, findContext())
	for _, key := range []string{"x' OR 1=1 --", `x" OR ""="`, "'; DROP TABLE study; --", "%", "_____", "ZZPHI%", "[Z]ZPHI*", "ZZ/**/", "\\", "ZZPHI^Ann_^*"} {
		for _, t := range []dicom.Tag{tag.PatientName, tag.PatientID, tag.AccessionNumber, tag.StudyDescription, tag.ReferringPhysicianName} {
			ds := query(h.T, nil)
			ds.Set(dicom.NewElement(t, dicom.VRFor(t), []byte(key)))
			if key == `\` && t != tag.PatientName {
				continue // two empty values: a list that restricts nothing
			}
			n, _, err := find(a, ds)
			if err != nil {
				h.Fatalf("the association ended: %v", err)
			}
			if n != 0 && key != `\` {
				h.Errorf("%s matches a key that is text: %d studies", t.Keyword(), n)
			}
		}
	}
	if n, code, err := find(a, query(h.T, map[dicom.Tag]string{tag.StudyInstanceUID: files[0].DataSet.Text(tag.StudyInstanceUID)})); n != 1 || err != nil {
		h.Errorf("afterwards the study is found %d times: %s %v", n, code, err)
	}
}

// moveAnywhere is DM-04: the answer is the same whether something matches.
func moveAnywhere(h *hostile) {
	files := h.fill(3)
	h.s.Must("device", "add", "OTHER", "--data", h.s.Data, "--out", h.TempDir()+"/x", "--listen", "127.0.0.1:9")
	a := h.open(attacker, ul.ProposedContext{AbstractSyntax: uid.StudyRootMove, TransferSyntaxes: []string{uid.ExplicitVRLittleEndian}})
	for _, to := range []string{"EVIL", "10.0.0.1:104", "localhost", "../x", witness, "OTHER"} {
		for name, study := range map[string]string{"stored": files[0].DataSet.Text(tag.StudyInstanceUID), "unknown": "1.2.3"} {
			_, err := a.Move(context.Background(), dimse.MoveRequest{SOPClassUID: uid.StudyRootMove, MoveDestination: to,
				Identifier: query(h.T, map[dicom.Tag]string{tag.StudyInstanceUID: study})})
			refused, ok := errors.AsType[*dimse.StatusError](err)
			if !ok || refused.Status.Code != dimse.MoveDestinationUnknown {
				h.Errorf("C-MOVE of a study that is %s to %s: %v", name, to, err)
			}
		}
	}
}

// retrieveEverything is DM-05. There is no quota yet; what is there is that a
// retrieval without a key is refused and that every retrieval is recorded.
func retrieveEverything(h *hostile) {
	files := h.fill(4)
	a, err := dimse.Dial(context.Background(), h.s.Address, dimse.Config{
		TLSConfig: h.keys[attacker], CallingAETitle: attacker, CalledAETitle: harness.AETitle,
		Contexts: dimse.Propose([]string{uid.StudyRootGet, uid.CTImageStorage}, []string{uid.ExplicitVRLittleEndian}, false),
		Roles:    []ul.RoleSelection{{SOPClassUID: uid.CTImageStorage, SCU: true, SCP: true}},
	})
	if err != nil {
		h.Fatal(err)
	}
	defer a.Abort()
	got := 0
	get := func(study string) error {
		_, err := a.Get(context.Background(), dimse.GetRequest{SOPClassUID: uid.StudyRootGet, Identifier: query(h.T, map[dicom.Tag]string{tag.StudyInstanceUID: study}),
			Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
				io.Copy(io.Discard, rq.Data)
				got++
				return dimse.Status{}
			}})
		return err
	}
	for _, study := range []string{"", "*"} {
		if err := get(study); err == nil && study == "" || got > 0 {
			h.Errorf("C-GET of %q gives %d instances: %v", study, got, err)
		}
	}
	if err := get(files[0].DataSet.Text(tag.StudyInstanceUID)); err != nil || got != len(files) {
		h.Errorf("C-GET gives %d instances: %v", got, err)
	}
	d, err := db.Open(context.Background(), db.Options{Path: h.path("*.db")})
	if err != nil {
		h.Fatal(err)
	}
	defer d.Close()
	recorded := 0
	for r, err := range audit.New(d, ledger.New(d, nil), time.Now).After(context.Background(), 0) {
		if err != nil {
			h.Fatal(err)
		}
		if r.Event == audit.Transferred && r.Action == audit.Read && r.Outcome == audit.Success {
			for _, o := range r.Objects {
				recorded += o.Instances
			}
		}
	}
	if recorded != len(files) {
		h.Errorf("%d instances left according to the record, want %d", recorded, len(files))
	}
}

// conflicts is DM-06 to DM-08.
func conflicts(id string) func(*hostile) {
	return func(h *hostile) {
		held := 0
		for _, c := range synth.Conflicts(5) {
			if c.ID != id {
				continue
			}
			if code, err := h.storeHostile(c.First); code != dimse.Success || err != nil {
				h.Fatalf("%s: the first is refused: %s %v", c.Name, code, err)
			}
			want := map[string]dimse.StatusCode{"DM-06": dimse.DuplicateSOPInstance, "DM-07": dimse.InvalidSOPInstance, "DM-08": dimse.DataSetDoesNotMatchSOPClass}[id]
			for range 2 { // insisting changes nothing
				code, err := h.store(c.Second.Instance.SOPClassUID, c.Claimed, c.Second.TransferSyntax, c.Second.Open())
				if code != want || err != nil {
					h.Errorf("%s: status %s %v, want %s", c.Name, code, err, want)
				}
			}
			first, _ := io.ReadAll(c.First.Open())
			if !bytes.Equal(h.stored(c.First.Instance), first) {
				h.Errorf("%s: the first content is not what is stored", c.Name)
			}
			if code, err := h.storeHostile(c.First); code != dimse.Success || err != nil {
				h.Errorf("%s: the first again is refused: %s %v", c.Name, code, err)
			}
			if id != "DM-08" {
				held++
				h.held(c)
			}
		}
		entries, err := h.archive().Quarantine(context.Background(), 0, 100)
		if err != nil || len(entries) != held {
			h.Errorf("%d entries in quarantine, want %d: %v", len(entries), held, err)
		}
	}
}

// held checks what is in quarantine of a conflict.
func (h *hostile) held(c synth.Conflict) {
	h.Helper()
	a := h.archive()
	entries, err := a.Quarantine(context.Background(), 0, 100)
	if err != nil {
		h.Fatal(err)
	}
	want := map[string]archive.Reason{"DM-06": archive.DifferentContent, "DM-07": archive.OtherPatient}[c.ID]
	if strings.Contains(c.Name, "another study") {
		want = archive.OtherStudy
	}
	for _, e := range entries {
		if e.Instance.SOPInstanceUID != c.Second.Instance.SOPInstanceUID {
			continue
		}
		if e.Reason != want || e.Times != 2 || e.Source.AETitle != attacker || e.Source.Address != attackerAddress {
			h.Errorf("%s: held as %s, %d times, of %s at %s", c.Name, e.Reason, e.Times, e.Source.AETitle, e.Source.Address)
		}
		o, err := a.OpenQuarantined(context.Background(), e.ID)
		if err != nil {
			h.Fatal(err)
		}
		defer o.Close()
		got, err := io.ReadAll(o.DataSet())
		second, _ := io.ReadAll(c.Second.Open())
		if err != nil || !bytes.Equal(got, second) {
			h.Errorf("%s: quarantine does not hold what was sent: %v", c.Name, err)
		}
		return
	}
	h.Errorf("%s: not in quarantine", c.Name)
}

// traversal is DM-09: in the command, and as each UID of the data set.
func traversal(h *hostile) {
	for i, bad := range synth.Traversal() {
		good := synth.NewInstance(uint64(i), "traversal")
		for place, change := range map[string]func(in *synth.Instance) (claimed string){
			"command":         func(in *synth.Instance) string { return bad },
			"SOP Instance":    func(in *synth.Instance) string { in.SOPInstanceUID = bad; return good.SOPInstanceUID },
			"study":           func(in *synth.Instance) string { in.StudyInstanceUID = bad; return good.SOPInstanceUID },
			"series":          func(in *synth.Instance) string { in.SeriesInstanceUID = bad; return good.SOPInstanceUID },
			"SOP Class":       func(in *synth.Instance) string { in.SOPClassUID = bad; return good.SOPInstanceUID },
			"command and set": func(in *synth.Instance) string { in.SOPInstanceUID = bad; return bad },
		} {
			in := good
			claimed := change(&in)
			c := h.associate()
			c.SetDeadline(time.Now().Add(answerTime))
			c.Write(synth.StoreRQ(1, claimed))
			c.Write(synth.PData(3, false, true, synth.WithUIDs(in)))
			p, err := readPDU(c)
			if err != nil {
				h.Errorf("UID %d in %s: %v", i, place, err)
				continue
			}
			if data, ok := p.(*ul.PDataTF); ok {
				if cmd, err := dimse.DecodeCommand(data.Values[0].Data); err != nil || cmd.Status.Class() != dimse.ClassFailure {
					h.Errorf("UID %d in %s: %+v %v", i, place, cmd, err)
				}
			}
			c.Close()
		}
	}
	a := h.archive()
	for ref, err := range a.Find(context.Background(), archive.Query{Scope: archive.Everything(), Root: archive.StudyRoot, Level: archive.StudyLevel, Keys: query(h.T, map[dicom.Tag]string{tag.StudyInstanceUID: ""})}) {
		h.Errorf("something was stored: %v %v", ref, err)
	}
}

// forgedReport is DM-10: nobody but an SCP we asked may say what is committed.
func forgedReport(h *hostile) {
	rq := &ul.AssociateRQ{CalledAETitle: harness.AETitle, CallingAETitle: attacker,
		Contexts: []ul.ProposedContext{{ID: 1, AbstractSyntax: uid.StorageCommitmentPushModel, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}}},
		User: ul.UserInformation{MaxPDULength: 16384, ImplementationClassUID: "1.2.3",
			Roles: []ul.RoleSelection{{SOPClassUID: uid.StorageCommitmentPushModel, SCU: true, SCP: true}}}}
	b, err := rq.AppendTo(nil)
	if err != nil {
		h.Fatal(err)
	}
	c := h.dial()
	c.Write(b)
	if p, err := readPDU(c); err != nil || p.Type() != ul.TypeAssociateAC {
		h.Fatalf("no association: %v %v", p, err)
	}
	cmd := &dimse.Command{Operation: dimse.NEventReport, MessageID: 1, EventTypeID: 1, AffectedSOPClassUID: uid.StorageCommitmentPushModel,
		AffectedSOPInstanceUID: uid.StorageCommitmentPushInstance, HasDataSet: true}
	c.Write(synth.PData(1, true, true, cmd.AppendTo(nil)))
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.TransactionUID, "1.2.3"); err != nil {
		h.Fatal(err)
	}
	c.Write(synth.PData(1, false, true, synth.Encode(ds, uid.ImplicitVRLittleEndian)))
	if code := status(h.T, c); code.Class() != dimse.ClassFailure {
		h.Errorf("a forged report is answered with %s", code)
	}
}

// notOffered is DM-11.
func notOffered(h *hostile) {
	contexts := []ul.ProposedContext{{AbstractSyntax: uid.Verification, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}}}
	for _, class := range []string{uid.ModalityWorklistFind, uid.ModalityPerformedProcedureStep, "1.2.840.10008.5.1.4.34.6.1", "1.2.840.10008.5.1.1.9"} {
		contexts = append(contexts, ul.ProposedContext{AbstractSyntax: class, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian}})
	}
	a := h.open(attacker, contexts...)
	if got := a.Contexts(); len(got) != 1 || got[0].AbstractSyntax != uid.Verification {
		h.Errorf("%d contexts were accepted", len(got))
	}
}
