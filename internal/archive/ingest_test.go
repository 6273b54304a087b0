package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/db"
	"collimator/internal/fault"
)

func TestIngestedDataSetComesOutIdentical(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	for i, ts := range []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian} {
		ds := image(t, 1, 1, i)
		data := encoded(t, ds, ts)
		r, err := a.Ingest(t.Context(), Incoming{TransferSyntaxUID: ts, Data: bytes.NewReader(data)})
		if err != nil {
			t.Fatal(err)
		}
		o, err := a.Open(t.Context(), r.Instance)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		got, err := io.ReadAll(o.DataSet())
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: the data set changed: %v", uid.Name(ts), err)
		}
		file, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != r.Instance.Digest {
			t.Error("the digest is not that of the file")
		}
		f, err := dicom.ReadFile(bytes.NewReader(file), dicom.DecodeOptions{})
		if err != nil || f.TransferSyntax != ts || f.Meta.Text(tag.MediaStorageSOPInstanceUID) != r.Instance.SOPInstanceUID || len(f.Notes) > 0 {
			t.Errorf("not a Part 10 file: %v", err)
		}
	}
	wantStats(t, a, 1, 1, 1, 4, 0)
}

func TestSameContentAgainIsADuplicate(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := image(t, 1, 1, 1)
	first := store(t, a, ds)
	second := store(t, a, ds)
	if first.Duplicate || !second.Duplicate || first.Instance != second.Instance {
		t.Errorf("got %+v, then %+v", first, second)
	}
	wantStats(t, a, 1, 1, 1, 1, 0)
}

func TestSameDataSetWithOtherMetaInformationIsADuplicate(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := image(t, 1, 1, 1)
	r := store(t, a, ds)
	// As if an older release had written the file with other meta information.
	o, err := a.Open(t.Context(), r.Instance)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	data, err := io.ReadAll(o.DataSet())
	if err != nil {
		t.Fatal(err)
	}
	meta := dicom.AppendMeta(nil, dicom.Meta{SOPClassUID: r.Instance.SOPClassUID, SOPInstanceUID: r.Instance.SOPInstanceUID, TransferSyntaxUID: uid.ExplicitVRLittleEndian})
	file := append(meta, data...)
	sum := sha256.Sum256(file)
	key := hex.EncodeToString(sum[:])
	w, err := a.blobs.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := a.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE instance SET digest = ?1, size = ?2, data_offset = ?3`, key, len(file), len(meta))
		if err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), `UPDATE study SET size = ?1`, len(file))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := a.removeUnreferenced(t.Context(), r.Instance.Digest, 0); err != nil {
		t.Fatal(err)
	}
	again := store(t, a, ds)
	if !again.Duplicate || again.Instance.Digest != key {
		t.Errorf("got %+v", again)
	}
	wantStats(t, a, 1, 1, 1, 1, 0)
}

func TestContradictionsGoIntoQuarantine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		ds    func(t *testing.T) *dicom.DataSet
		want  Reason
		first func(t *testing.T) *dicom.DataSet
	}{
		{"other content under the UID", func(t *testing.T) *dicom.DataSet { return image(t, 1, 1, 1, tag.StudyDescription, "forged") }, DifferentContent, nil},
		{"other patient in the study", func(t *testing.T) *dicom.DataSet { return image(t, 1, 1, 2, tag.PatientID, "ID2") }, OtherPatient, nil},
		{"other issuer of the same ID", func(t *testing.T) *dicom.DataSet { return image(t, 1, 1, 2, tag.IssuerOfPatientID, "B") }, OtherPatient,
			func(t *testing.T) *dicom.DataSet { return image(t, 1, 1, 1, tag.IssuerOfPatientID, "A") }},
		{"no ID and another name", func(t *testing.T) *dicom.DataSet {
			return image(t, 1, 1, 2, tag.PatientID, "", tag.PatientName, "ZZPHI^Other")
		}, OtherPatient, func(t *testing.T) *dicom.DataSet { return image(t, 1, 1, 1, tag.PatientID, "") }},
		{"series in another study", func(t *testing.T) *dicom.DataSet {
			return image(t, 2, 1, 2, tag.SeriesInstanceUID, "1.2.3.1.1")
		}, OtherStudy, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var events []Event
			a := openTest(t, func(o *Options) {
				o.Record = func(_ context.Context, _ *db.Tx, e Event) error { events = append(events, e); return nil }
			})
			first := image(t, 1, 1, 1)
			if c.first != nil {
				first = c.first(t)
			}
			store(t, a, first)
			for range 2 {
				_, err := a.Ingest(t.Context(), incoming(t, c.ds(t)))
				conflict, ok := errors.AsType[*ConflictError](err)
				if !ok || conflict.Reason != c.want || conflict.Quarantine == 0 || fault.Of(err) != fault.Conflict {
					t.Fatalf("got %v, want %s", err, c.want)
				}
				if strings.Contains(err.Error(), "1.2.3") || strings.Contains(err.Error(), "ZZPHI") {
					t.Errorf("the error names the instance: %v", err)
				}
			}
			wantStats(t, a, 1, 1, 1, 1, 1)
			list, err := a.Quarantine(t.Context(), 0, 10)
			if err != nil || len(list) != 1 || list[0].Times != 2 || list[0].Source.AETitle != "CT1" {
				t.Fatalf("got %+v, %v", list, err)
			}
			o, err := a.OpenQuarantined(t.Context(), list[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			o.Close()
			if len(events) != 3 || events[0].Kind != Stored || events[1].Kind != Quarantined || events[2].Kind != Quarantined {
				t.Errorf("recorded %+v", events)
			}
			if err := a.Destroy(t.Context(), list[0].ID, Source{Principal: "admin"}); err != nil {
				t.Fatal(err)
			}
			if _, err := a.blobs.Stat(t.Context(), list[0].Instance.Digest); fault.Of(err) != fault.NotFound {
				t.Errorf("the file is still there: %v", err)
			}
			wantStats(t, a, 1, 1, 1, 1, 0)
		})
	}
}

func TestReleaseExchangesTheContents(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	old := store(t, a, image(t, 1, 1, 1))
	store(t, a, image(t, 1, 1, 2))
	_, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, 1, tag.StudyDescription, "corrected")))
	conflict, ok := errors.AsType[*ConflictError](err)
	if !ok {
		t.Fatal(err)
	}
	r, err := a.Release(t.Context(), conflict.Quarantine, Source{Principal: "admin"})
	if err != nil || r.Instance.Digest == old.Instance.Digest {
		t.Fatalf("got %+v, %v", r, err)
	}
	ref, err := a.Instance(t.Context(), old.Instance.SOPInstanceUID, Everything())
	if err != nil || ref != r.Instance {
		t.Errorf("got %+v, %v", ref, err)
	}
	list, err := a.Quarantine(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].Reason != Replaced || list[0].Instance.Digest != old.Instance.Digest {
		t.Errorf("got %+v, %v", list, err)
	}
	wantStats(t, a, 1, 1, 1, 2, 1)
}

func TestReleaseOfAnotherPatientKeepsTheStudys(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	store(t, a, image(t, 1, 1, 1))
	_, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, 2, tag.PatientID, "ID2")))
	conflict, ok := errors.AsType[*ConflictError](err)
	if !ok {
		t.Fatal(err)
	}
	if _, err := a.Release(t.Context(), conflict.Quarantine, Source{}); err != nil {
		t.Fatal(err)
	}
	wantStats(t, a, 1, 1, 1, 2, 0)
}

func TestReleaseIntoAnotherStudyLeavesNoEmptyRows(t *testing.T) {
	t.Parallel()
	for _, others := range []bool{false, true} {
		a := openTest(t)
		store(t, a, image(t, 1, 1, 1))
		if others {
			store(t, a, image(t, 1, 2, 1))
		}
		_, err := a.Ingest(t.Context(), incoming(t, image(t, 2, 1, 1, tag.SOPInstanceUID, "1.2.3.1.1.1")))
		conflict, ok := errors.AsType[*ConflictError](err)
		if !ok {
			t.Fatal(err)
		}
		if _, err := a.Release(t.Context(), conflict.Quarantine, Source{}); err != nil {
			t.Fatal(err)
		}
		if others {
			wantStats(t, a, 2, 2, 2, 2, 1)
		} else {
			wantStats(t, a, 1, 1, 1, 1, 1)
		}
	}
}

func TestFullQuarantineKeepsNothingMore(t *testing.T) {
	t.Parallel()
	a := openTest(t, func(o *Options) { o.Limits.QuarantineEntries = 1 })
	store(t, a, image(t, 1, 1, 1))
	for i, s := range []string{"x", "y"} {
		_, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, 1, tag.StudyDescription, s)))
		conflict, ok := errors.AsType[*ConflictError](err)
		if !ok || (conflict.Quarantine == 0) != (i == 1) {
			t.Errorf("got %v, %+v", err, conflict)
		}
	}
	for p, err := range a.Verify(t.Context(), VerifyOptions{}) {
		t.Errorf("%+v, %v", p, err)
	}
	if n := blobCount(t, a); n != 2 {
		t.Errorf("%d files, want 2", n)
	}
}

func blobCount(t testing.TB, a *opened) (n int) {
	t.Helper()
	for _, err := range a.blobs.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestWhatIsNotAnInstanceIsRefusedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	a := openTest(t, func(o *Options) { o.Limits.Size = 100_000; o.Limits.Depth = 8 })
	good := func() *dicom.DataSet { return image(t, 1, 1, 1) }
	deep := dicom.NewDataSet()
	for range 10 {
		outer := dicom.NewDataSet()
		outer.SetItems(tag.ContentSequence, deep)
		deep = outer
	}
	withDeep := good()
	withDeep.SetItems(tag.ContentSequence, deep)
	twoStudies := good()
	if err := twoStudies.SetText(tag.StudyInstanceUID, "1.2", "1.3"); err != nil {
		t.Fatal(err)
	}
	without := func(tg dicom.Tag) *dicom.DataSet { ds := good(); ds.Delete(tg); return ds }
	data := encoded(t, good(), uid.ExplicitVRLittleEndian)
	broken := errors.New("connection lost")
	for _, c := range []struct {
		name string
		in   Incoming
		want error
	}{
		{"command names another instance", with(incoming(t, good()), func(in *Incoming) { in.SOPInstanceUID = "1.2.9" }), ErrMismatch},
		{"command names another class", with(incoming(t, good()), func(in *Incoming) { in.SOPClassUID = uid.MRImageStorage }), ErrMismatch},
		{"path in the command", with(incoming(t, good()), func(in *Incoming) { in.SOPInstanceUID = "../../x" }), ErrUID},
		{"no transfer syntax", with(incoming(t, good()), func(in *Incoming) { in.TransferSyntaxUID = "" }), ErrUID},
		{"dots as study", incoming(t, image(t, 1, 1, 1, tag.StudyInstanceUID, "..")), ErrUID},
		{"path as series", incoming(t, image(t, 1, 1, 1, tag.SeriesInstanceUID, "/etc/x")), ErrUID},
		{"study too long", incoming(t, image(t, 1, 1, 1, tag.StudyInstanceUID, strings.Repeat("1", 65))), ErrUID},
		{"two studies", incoming(t, twoStudies), ErrUID},
		{"no class", with(incoming(t, without(tag.SOPClassUID)), func(in *Incoming) { in.SOPClassUID = "" }), ErrUID},
		{"cut short", with(incoming(t, good()), func(in *Incoming) { in.Data = bytes.NewReader(data[:len(data)-100]) }), fault.Invalid},
		{"not DICOM", with(incoming(t, good()), func(in *Incoming) { in.Data = strings.NewReader("hello, world") }), fault.Invalid},
		{"empty", with(incoming(t, good()), func(in *Incoming) { in.Data = strings.NewReader("") }), ErrUID},
		{"too deep", incoming(t, withDeep), fault.TooLarge},
		{"too large", with(incoming(t, good()), func(in *Incoming) {
			in.Data = io.MultiReader(bytes.NewReader(data), bytes.NewReader(make([]byte, 100_000)))
		}), fault.TooLarge},
		{"the peer is gone", with(incoming(t, good()), func(in *Incoming) { in.Data = io.MultiReader(bytes.NewReader(data[:1000]), failing{broken}) }), broken},
	} {
		_, err := a.Ingest(t.Context(), c.in)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "ZZPHI") {
			t.Errorf("%s: the error quotes a value", c.name)
		}
	}
	if n := blobCount(t, a); n != 0 {
		t.Errorf("%d files were left", n)
	}
	wantStats(t, a, 0, 0, 0, 0, 0)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func with(in Incoming, change func(*Incoming)) Incoming {
	change(&in)
	return in
}

func TestRecordThatFailsUndoesTheInstance(t *testing.T) {
	t.Parallel()
	boom := errors.New("ledger is broken")
	a := openTest(t, func(o *Options) {
		o.Record = func(context.Context, *db.Tx, Event) error { return boom }
	})
	if _, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, 1))); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	wantStats(t, a, 0, 0, 0, 0, 0)
	if n := blobCount(t, a); n != 0 {
		t.Errorf("%d files were left", n)
	}
}

func TestAFileThatAnotherProcessRemovedOnItsWayIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	command, err := openIn(dir) // such as 'quarantine destroy' of the same content
	if err != nil {
		t.Fatal(err)
	}
	defer command.close()
	ds := image(t, 1, 1, 1)
	var digest string
	removes := true
	server, err := openIn(dir, func(o *Options) {
		o.Inspect = func(context.Context, Inspected) Inspection { // the file is in its place, the row is not
			for info := range command.blobs.List(t.Context(), "") {
				digest = info.Key
			}
			if removes {
				if err := command.removeUnreferenced(t.Context(), digest, 0); err != nil {
					t.Error(err)
				}
			}
			return Inspection{}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.close()
	if _, err := server.Ingest(t.Context(), incoming(t, ds)); fault.Of(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	wantStats(t, server, 0, 0, 0, 0, 0)
	removes = false
	if _, err := server.Ingest(t.Context(), incoming(t, ds)); err != nil {
		t.Fatal(err)
	}
	if err := command.removeUnreferenced(t.Context(), digest, 0); err != nil {
		t.Error(err)
	}
	if n := blobCount(t, server); n != 1 {
		t.Errorf("%d files", n)
	}
}

func TestAPanicWhileOthersCommitAcknowledgesNobody(t *testing.T) {
	t.Parallel()
	const associations = 8
	a := openTest(t, func(o *Options) {
		o.Record = func(context.Context, *db.Tx, Event) error { panic("broken") }
	})
	var acknowledged atomic.Int64
	var wg sync.WaitGroup
	a.commitMu.Lock() // until all stand in the queue, so that they share one transaction
	for i := range associations {
		wg.Go(func() {
			defer func() { _ = recover() }() // as the association's handler does
			if _, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, i))); err == nil {
				acknowledged.Add(1)
			}
		})
	}
	for queued := 0; queued < associations; runtime.Gosched() {
		a.queueMu.Lock()
		queued = len(a.queue)
		a.queueMu.Unlock()
	}
	a.commitMu.Unlock()
	wg.Wait()
	if n := acknowledged.Load(); n != 0 {
		t.Errorf("%d instances that are not stored were acknowledged", n)
	}
	a.o.Record = nil
	if _, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, 1))); err != nil {
		t.Errorf("the archive takes nothing any more: %v", err)
	}
	wantStats(t, a, 1, 1, 1, 1, 0)
}

func TestConcurrentAssociationsStoreEverything(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				// Two of the goroutines send the same study.
				if _, err := a.Ingest(t.Context(), incoming(t, image(t, g/2, 1+i%2, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantStats(t, a, 4, 4, 8, 80, 0)
}

func TestHeaderKeepsEverythingButLongValues(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := image(t, 1, 1, 1)
	item := dicom.NewDataSet()
	item.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{7}, 10_000)))
	text(t, item, tag.PhotometricInterpretation, "MONOCHROME2")
	ds.SetItems(tag.IconImageSequence, item)
	for i, ts := range []string{uid.ExplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian, uid.JPEGBaseline8Bit, uid.ExplicitVRBigEndian} {
		c := ds.Clone()
		text(t, c, tag.SOPInstanceUID, "1.2.3.1.1."+string(rune('1'+i)))
		want := bytes.Repeat([]byte{byte(i + 1)}, 9000)
		if ts == uid.JPEGBaseline8Bit {
			c.Set(dicom.NewFragments(tag.PixelData, dicom.OB, []byte{0, 0, 0, 0, 8, 35, 0, 0}, want, want[:100], want[:8]))
		} else {
			c.Set(dicom.NewElement(tag.PixelData, dicom.OW, want))
		}
		r, err := a.Ingest(t.Context(), Incoming{TransferSyntaxUID: ts, Data: bytes.NewReader(encoded(t, c, ts))})
		if err != nil {
			t.Fatal(err)
		}
		for h, err := range a.Headers(t.Context(), RetrieveQuery{Scope: Everything(), SOPInstanceUIDs: []string{r.Instance.SOPInstanceUID}}) {
			if err != nil {
				t.Fatal(err)
			}
			el, _ := h.DataSet.Get(tag.PixelData)
			rd, err := el.Open()
			if el.Encapsulated() {
				rd, err = el.OpenFragment(0)
				if el.FragmentCount() != 3 || len(el.OffsetTable()) != 8 {
					t.Errorf("%s: %d fragments, offset table of %d bytes", uid.Name(ts), el.FragmentCount(), len(el.OffsetTable()))
				}
			}
			if err != nil {
				t.Errorf("%s: %v", uid.Name(ts), err)
				continue
			}
			got, err := io.ReadAll(rd)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: pixel data are %d bytes, %v", uid.Name(ts), len(got), err)
			}
			icon := h.DataSet.Items(tag.IconImageSequence)
			if len(icon) != 1 || icon[0].Text(tag.PhotometricInterpretation) != "MONOCHROME2" || h.DataSet.Len() != c.Len() {
				t.Errorf("%s: the header lost something", uid.Name(ts))
			}
		}
	}
}
