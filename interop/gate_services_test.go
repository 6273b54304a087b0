//go:build interop

package interop_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/dcmtktest"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/interop/harness"
)

// TestStorageCommitmentComesBackThroughTheGate asks Orthanc, which reports on an
// association of its own.
func TestStorageCommitmentComesBackThroughTheGate(t *testing.T) {
	t.Parallel()
	behind := harness.FreeAddress(t)
	s := startGate(t, behind, "")
	startOldOrthanc(t, behind, map[string]string{"WS1": s.Plain})
	keys := s.Device("WS1", harness.All...)
	dir := t.TempDir()
	for i := range 3 {
		harness.Instance{Study: uid.New(), Fill: byte(i)}.Write(t, dir)
	}
	out := s.Must("send", "PACS@"+s.Address, "--as", keys, "--commit", dir)
	if !strings.Contains(out, "3 committed") {
		t.Errorf("%s", out)
	}
}

// TestTheWorklistIsAskedThroughTheGate asks wlmscpfs.
func TestTheWorklistIsAskedThroughTheGate(t *testing.T) {
	t.Parallel()
	lists := t.TempDir()
	own := filepath.Join(lists, "OLDPACS")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(own, "lockfile"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	entry := worklistEntry(t, "ZZPHI-7")
	if err := os.Rename(harness.WriteFile(t, t.TempDir(), entry), filepath.Join(own, "one.wl")); err != nil {
		t.Fatal(err)
	}

	behind := harness.FreeAddress(t)
	_, port, _ := strings.Cut(behind, ":")
	harness.Background(t, behind, dcmtktest.Find(t, "wlmscpfs"), "-dfp", lists, "-dfr", port)
	ask := []string{"-W", "-k", "PatientName", "-k", "PatientID", "-k", "ScheduledProcedureStepSequence[0].Modality=CT"}
	direct, code := harness.Exec(t, time.Minute, nil, dcmtktest.Find(t, "findscu"),
		append([]string{"-v", "-aec", "OLDPACS", "127.0.0.1", port}, ask...)...)
	mustSucceed(t, direct, code)
	if !strings.Contains(direct, "ZZPHI-7") {
		t.Fatalf("wlmscpfs has no entry:\n%s", direct)
	}

	s := startGate(t, behind, "      - {name: modalities, who: [CT1], allow: [worklist]}\n")
	for title, want := range map[string]bool{"CT1": true, "WS1": false} {
		d := newDCMTK(t, s, title, harness.All...)
		d.called = "PACS"
		out, _ := d.run("findscu", ask...)
		if strings.Contains(out, "ZZPHI-7") != want {
			t.Errorf("%s: %s", title, out)
		}
	}
}

// worklistEntry is a scheduled CT of a patient.
func worklistEntry(t testing.TB, patient string) *dicom.DataSet {
	t.Helper()
	entry := dicom.NewDataSet()
	step := dicom.NewDataSet()
	for _, f := range []struct {
		ds    *dicom.DataSet
		tag   tag.Tag
		value string
	}{
		{entry, tag.SOPClassUID, uid.ModalityWorklistFind}, {entry, tag.SOPInstanceUID, uid.New()},
		{entry, tag.PatientName, "ZZPHI^WORKLIST"}, {entry, tag.PatientID, patient}, {entry, tag.AccessionNumber, "77"},
		{entry, tag.StudyInstanceUID, uid.New()}, {entry, tag.RequestedProcedureID, "P1"}, {entry, tag.RequestedProcedureDescription, "CT"},
		{step, tag.Modality, "CT"}, {step, tag.ScheduledStationAETitle, "CT1"}, {step, tag.ScheduledProcedureStepStartDate, "20261129"},
		{step, tag.ScheduledProcedureStepStartTime, "080000"}, {step, tag.ScheduledProcedureStepID, "S1"},
		{step, tag.ScheduledProcedureStepDescription, "CT"}, {step, tag.ScheduledPerformingPhysicianName, "ZZPHI^DOCTOR"},
	} {
		if err := f.ds.SetText(f.tag, f.value); err != nil {
			t.Fatal(err)
		}
	}
	entry.SetItems(tag.ScheduledProcedureStepSequence, step)
	return entry
}

// TestTheGateStaysSmallWithLargeObjectsAndManyAssociations: four objects of 134 MB at
// once, and two hundred callers that hold an association and do nothing.
func TestTheGateStaysSmallWithLargeObjectsAndManyAssociations(t *testing.T) {
	const most = 150 << 20
	behind := harness.FreeAddress(t)
	_, port, _ := strings.Cut(behind, ":")
	harness.Background(t, behind, dcmtktest.Find(t, "storescp"), "--fork", "--ignore", "-aet", "OLDPACS", port)
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	limits := "limits: {associations_per_address: 256}\n"
	if err := os.WriteFile(filepath.Join(data, "collimator.yaml"), []byte(limits), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startGateIn(t, data, "OLDPACS", behind, "")
	d := newDCMTK(t, s, "CT1", "--allow", "echo,store")
	d.called = "PACS"

	keys, err := keysOf(d.keys, "CT1")
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		a, err := dimse.Dial(t.Context(), s.Address, dimse.Config{
			TLSConfig: keys, CallingAETitle: "CT1", CalledAETitle: "PACS",
			Contexts: dimse.Propose([]string{uid.Verification}, uid.NativeSyntaxes(), false),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Abort)
	}
	var wg sync.WaitGroup
	for range 4 {
		file := largeFile(t, 134<<20)
		wg.Go(func() {
			if out, code := d.run("storescu", file); code != 0 {
				t.Errorf("exit code %d: %.500s", code, out)
			}
		})
	}
	wg.Wait()

	_, peak := s.RSS(t)
	t.Logf("peak memory %d MiB", peak>>20)
	if peak > most {
		t.Errorf("peak memory %d MiB, more than %d", peak>>20, most>>20)
	}
}

// largeFile is an image of so many bytes. It is never whole in memory: other tests
// measure that of processes which this one starts.
func largeFile(t *testing.T, pixels int64) string {
	t.Helper()
	ds := harness.Instance{Study: uid.New()}.DataSet(t)
	ds.Delete(tag.PixelData)
	path := harness.WriteFile(t, t.TempDir(), ds)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	header := binary.LittleEndian.AppendUint32([]byte("\xE0\x7F\x10\x00OB\x00\x00"), uint32(pixels)) // Pixel Data, explicit VR
	if _, err := f.Write(header); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(info.Size() + pixels); err != nil {
		t.Fatal(err)
	}
	return path
}
