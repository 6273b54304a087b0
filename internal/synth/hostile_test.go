package synth_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/synth"
)

func TestOddFilesCanBeRead(t *testing.T) {
	t.Parallel()
	for _, odd := range synth.OddFiles(1) {
		f, err := dicom.ReadFile(bytes.NewReader(odd.File), dicom.DecodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", odd.Name, err)
			continue
		}
		ds, err := dicom.Decode(bytes.NewReader(odd.DataSet), dicom.DecodeOptions{TransferSyntax: odd.TransferSyntax})
		if err != nil {
			t.Errorf("%s, as it goes over the network: %v", odd.Name, err)
			continue
		}
		if !ds.Equal(f.DataSet) || f.DataSet.Text(tag.SOPInstanceUID) != odd.Instance.SOPInstanceUID {
			t.Errorf("%s: file and data set differ", odd.Name)
		}
		complete := f.DataSet.Text(tag.StudyInstanceUID) != "" && f.DataSet.Text(tag.SeriesInstanceUID) != ""
		if complete == odd.NoIdentity {
			t.Errorf("%s: NoIdentity is %v", odd.Name, odd.NoIdentity)
		}
	}
}

// Whether a reader refuses duplicates and foreign groups is for it to decide;
// the structure of everything else is beyond doubt.
func TestHostileDataSetsCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, h := range synth.HostileDataSets(1) {
		_, err := dicom.Decode(h.Open(), dicom.DecodeOptions{TransferSyntax: h.TransferSyntax, BulkThreshold: 4096})
		switch {
		case h.Harmless && err != nil:
			t.Errorf("%s %s cannot be read: %v", h.ID, h.Name, err)
		case !h.Harmless && err == nil && h.ID != "DS-10":
			t.Errorf("%s %s was read", h.ID, h.Name)
		}
	}
}

func TestHostileFilesHoldWhatTheySay(t *testing.T) {
	t.Parallel()
	for _, h := range synth.HostileFiles(1) {
		f, err := dicom.ReadFile(bytes.NewReader(h.File), dicom.DecodeOptions{})
		if h.Harmless != (err == nil) {
			t.Errorf("%s %s: %v", h.ID, h.Name, err)
		}
		if err == nil && f.DataSet.Text(tag.SOPInstanceUID) != h.Instance.SOPInstanceUID {
			t.Errorf("%s %s: another instance was read", h.ID, h.Name)
		}
	}
}

func TestTraversalIsNoUID(t *testing.T) {
	t.Parallel()
	for _, s := range synth.Traversal() {
		if uid.Tolerable(s) {
			t.Errorf("%q is a UID", s)
		}
	}
}

func TestConflictsAreTwoRegularInstances(t *testing.T) {
	t.Parallel()
	for _, c := range synth.Conflicts(1) {
		var all [][]byte
		for _, h := range []synth.HostileDataSet{c.First, c.Second} {
			b, err := io.ReadAll(h.Open())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := dicom.Decode(bytes.NewReader(b), dicom.DecodeOptions{TransferSyntax: h.TransferSyntax}); err != nil {
				t.Errorf("%s %s: %v", c.ID, c.Name, err)
			}
			all = append(all, b)
		}
		if bytes.Equal(all[0], all[1]) {
			t.Errorf("%s %s: both are the same", c.ID, c.Name)
		}
	}
}

func TestRequestsAndMessagesAreWholePDUs(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{"request": synth.NewRequest("A", "B").Bytes(), "echo": synth.EchoRQ(1), "store": synth.StoreRQ(1, "1.2")} {
		if n := binary.BigEndian.Uint32(b[2:]); int(n) != len(b)-6 {
			t.Errorf("%s: length field %d of %d bytes", name, n, len(b)-6)
		}
	}
	var ids []string
	for _, a := range slices.Concat(synth.PDUAttacks("A", "B"), synth.CommandAttacks(), synth.WrongClass()) {
		if len(a.Bytes) == 0 {
			t.Errorf("%s %s is empty", a.ID, a.Name)
		}
		ids = append(ids, a.ID+a.Name)
	}
	slices.Sort(ids)
	if n := len(ids); len(slices.Compact(ids)) != n {
		t.Error("two attacks have the same name")
	}
}
