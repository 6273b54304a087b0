//go:build interop

package interop_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/synth"
	"collimator/interop/harness"
)

// dataSets sends the data sets of an attack. What is harmful must not be
// stored; what is harmless may be, and then bit for bit.
func dataSets(id string) func(*hostile) {
	return func(h *hostile) {
		n := 0
		for _, d := range synth.HostileDataSets(6) {
			if d.ID != id {
				continue
			}
			n++
			began := time.Now()
			code, err := h.storeHostile(d)
			if took := time.Since(began); took > 2*answerTime {
				h.Errorf("%s: took %v", d.Name, took)
			}
			kept := h.stored(d.Instance)
			switch accepted := err == nil && code == dimse.Success; {
			case !d.Harmless && accepted:
				h.Errorf("%s: Success", d.Name)
			case err != nil:
				h.Errorf("%s: the association ended: %v", d.Name, err)
			case accepted == (kept == nil):
				h.Errorf("%s: status %s, stored %v", d.Name, code, kept != nil)
			case accepted:
				if sent, _ := io.ReadAll(&even{r: d.Open()}); !bytes.Equal(sent, kept) {
					h.Errorf("%s: stored otherwise than sent", d.Name)
				}
			}
			h.witness()
		}
		if n == 0 {
			h.Errorf("there is no attack %s", id)
		}
	}
}

// get fetches a study in some transfer syntaxes of the class and gives the data sets.
func (h *hostile) get(class, study string, syntaxes ...string) (sets map[string][]byte, result dimse.RetrieveResult, err error) {
	h.Helper()
	a, err := dimse.Dial(context.Background(), h.s.Address, dimse.Config{
		TLSConfig: h.keys[attacker], CallingAETitle: attacker, CalledAETitle: harness.AETitle,
		Contexts: []ul.ProposedContext{{AbstractSyntax: uid.StudyRootGet, TransferSyntaxes: []string{uid.ExplicitVRLittleEndian}}, {AbstractSyntax: class, TransferSyntaxes: syntaxes}},
		Roles:    []ul.RoleSelection{{SOPClassUID: class, SCU: true, SCP: true}},
	})
	if err != nil {
		h.Fatal(err)
	}
	defer a.Abort()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	sets = map[string][]byte{}
	result, err = a.Get(ctx, dimse.GetRequest{SOPClassUID: uid.StudyRootGet, Identifier: query(h.T, map[dicom.Tag]string{tag.StudyInstanceUID: study}),
		Store: func(_ context.Context, _ *dimse.Association, rq *dimse.StoreRequest) dimse.Status {
			b, err := io.ReadAll(rq.Data)
			if err != nil {
				return dimse.ProcessingFailure.Because(err)
			}
			sets[rq.SOPInstanceUID] = b
			return dimse.Status{}
		}})
	return sets, result, err
}

// damagedFrames is DS-07, with DS-05 and DS-06 on the way out: frames that lie
// are decoded for a receiver that takes native pixel data only.
func damagedFrames(h *hostile) {
	for _, d := range synth.HostileDataSets(7) {
		if !d.Harmless || d.TransferSyntax != uid.RLELossless {
			continue
		}
		if code, err := h.storeHostile(d); err != nil || code != dimse.Success {
			continue // what is not stored does no harm
		}
		began := time.Now()
		_, result, err := h.get(uid.SecondaryCaptureImageStorage, d.Instance.StudyInstanceUID, uid.ImplicitVRLittleEndian)
		if _, refused := errors.AsType[*dimse.StatusError](err); err != nil && !refused {
			h.Errorf("%s %s: the association ended: %v", d.ID, d.Name, err)
		}
		if n := result.SubOperations; n.Completed+n.Failed+n.Warning != 1 {
			h.Errorf("%s %s: %+v", d.ID, d.Name, n)
		}
		if took := time.Since(began); took > answerTime {
			h.Errorf("%s %s: took %v", d.ID, d.Name, took)
		}
		if got, _, err := h.get(uid.SecondaryCaptureImageStorage, d.Instance.StudyInstanceUID, uid.RLELossless); err != nil || len(got) != 1 {
			h.Errorf("%s %s: does not come back as it was sent: %v", d.ID, d.Name, err)
		}
	}
}

// sameButEven compares what came back with what was sent: bit for bit, with one
// zero behind where it was odd, or the same elements with their values made even.
func sameButEven(got, sent []byte, ts string) bool {
	if bytes.Equal(got, sent) || len(sent)&1 == 1 && bytes.Equal(got, append(bytes.Clone(sent), 0)) {
		return true
	}
	have, err := dicom.Decode(bytes.NewReader(got), dicom.DecodeOptions{TransferSyntax: ts})
	if err != nil {
		return false
	}
	want, err := dicom.Decode(bytes.NewReader(sent), dicom.DecodeOptions{TransferSyntax: ts})
	if err == nil {
		want, err = want.Evened()
	}

	return err == nil && have.Equal(want)
}

// oddities is DS-08, and everything else that is odd but no attack: it comes
// back bit for bit, and names are found in their own script.
func oddities(h *hostile) {
	for _, odd := range synth.OddFiles(8) {
		code, err := h.store(odd.Instance.SOPClassUID, odd.Instance.SOPInstanceUID, odd.TransferSyntax, bytes.NewReader(odd.DataSet))
		if err != nil || code != dimse.Success {
			h.Errorf("%s: status %s %v", odd.Name, code, err)
			continue
		}
		if odd.NoIdentity {
			continue // filed under a UID of the archive's own
		}
		got, _, err := h.get(odd.Instance.SOPClassUID, odd.Instance.StudyInstanceUID, odd.TransferSyntax)
		if err != nil || !sameButEven(got[odd.Instance.SOPInstanceUID], odd.DataSet, odd.TransferSyntax) {
			h.Errorf("%s: comes back changed: %v", odd.Name, err)
		}
	}
	a := h.open(attacker, findContext())
	for i, p := range synth.Patients() {
		f := synth.First(synth.CT, synth.Options{Seed: uint64(100 + i), Patient: p, Rows: 16, Columns: 16})
		if code, err := h.store(uid.CTImageStorage, f.DataSet.Text(tag.SOPInstanceUID), f.TransferSyntax, bytes.NewReader(synth.DataSet(f))); code != dimse.Success || err != nil {
			h.Fatalf("%s: %s %v", p.Script, code, err)
		}
		keys := dicom.NewDataSet()
		if err := keys.SetCharacterSet(p.CharacterSet...); err != nil {
			h.Fatal(err)
		}
		for el := range query(h.T, nil).All() {
			keys.Set(el)
		}
		if err := errors.Join(keys.SetText(tag.PatientName, p.Name), keys.SetText(tag.PatientID, p.ID)); err != nil {
			h.Fatal(err)
		}
		if n, code, err := find(a, keys); n != 1 || err != nil {
			h.Errorf("%s: the name is found %d times: %s %v", p.Script, n, code, err)
		}
	}
}

// markup is DS-12 and DS-13: what a browser, a spreadsheet or a terminal would
// run is text, stored as it came, and in no log.
func markup(h *hostile) {
	for i, name := range []string{"ZZPHI<script>alert(1)</script>", `ZZPHI"><img src=x onerror=alert(1)>`, "=HYPERLINK(\"http://x\")ZZPHI", "ZZPHI\r\nlevel=ERROR msg=forged", "ZZPHI\x1b[2J", "ZZPHI\u202etxt.exe"} {
		f := synth.First(synth.CT, synth.Options{Seed: uint64(200 + i), Rows: 16, Columns: 16})
		ds := f.DataSet
		for _, t := range []dicom.Tag{tag.PatientName, tag.StudyDescription, tag.SeriesDescription, tag.AccessionNumber, tag.Manufacturer} {
			ds.Set(dicom.NewElement(t, dicom.VRFor(t), []byte(name)))
		}
		sent := synth.Encode(ds, uid.ExplicitVRLittleEndian)
		code, err := h.store(uid.CTImageStorage, ds.Text(tag.SOPInstanceUID), uid.ExplicitVRLittleEndian, bytes.NewReader(sent))
		if err != nil || code != dimse.Success {
			h.Errorf("name %d: status %s %v", i, code, err)
			continue
		}
		got, _, err := h.get(uid.CTImageStorage, ds.Text(tag.StudyInstanceUID), uid.ExplicitVRLittleEndian)
		if err != nil || !bytes.Equal(got[ds.Text(tag.SOPInstanceUID)], sent) {
			h.Errorf("name %d: comes back changed: %v", i, err)
		}
	}
}

// send runs the program's own client on a file and gives its exit code and the
// most memory it used.
func (h *hostile) send(keys string, file []byte) (out string, code int, peak int64) {
	h.Helper()
	path := filepath.Join(h.TempDir(), "file.dcm")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		h.Fatal(err)
	}
	return harness.Measure(h.T, 30*time.Second, harness.Binary(h.T), "send", h.s.Peer(), "--as", keys, path)
}

// polyglots is FL-01.
func polyglots(h *hostile) {
	keys := h.s.Device("SENDER", harness.All...)
	for _, f := range synth.HostileFiles(9) {
		if f.ID != "FL-01" {
			continue
		}
		if out, code, _ := h.send(keys, f.File); code != 0 {
			h.Errorf("%s: exit code %d\n%s", f.Name, code, out)
			continue
		}
		if !bytes.Equal(h.stored(f.Instance), f.DataSet) {
			h.Errorf("%s: stored otherwise than sent", f.Name)
		}
	}
	for _, path := range harness.Files(h.T, h.path("blobs")) {
		b, err := os.ReadFile(path)
		if err != nil {
			h.Fatal(err)
		}
		if len(b) > 132 && !bytes.Equal(b[:128], make([]byte, 128)) && string(b[128:132]) == "DICM" {
			h.Errorf("a stored file has a preamble that is not empty")
		}
	}
}

// falseMeta is FL-02.
func falseMeta(h *hostile) {
	keys := h.s.Device("SENDER", harness.All...)
	for _, f := range synth.HostileFiles(10) {
		if f.ID != "FL-02" {
			continue
		}
		out, code, peak := h.send(keys, f.File)
		switch kept := h.stored(f.Instance); {
		case !slices.Contains([]int{0, 1, 3}, code):
			h.Errorf("%s: exit code %d\n%s", f.Name, code, out)
		case f.Harmless && !bytes.Equal(kept, f.DataSet):
			h.Errorf("%s: stored otherwise than sent\n%s", f.Name, out)
		case !f.Harmless && (kept != nil || code == 0):
			h.Errorf("%s: stored, exit code %d", f.Name, code)
		case peak > memoryBound:
			h.Errorf("%s: the client used %d MiB", f.Name, peak>>20)
		}
	}
}
