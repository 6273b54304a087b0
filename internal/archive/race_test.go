package archive

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/internal/blob"
	"collimator/internal/fault"
)

// TestTwoProcessesStoreDeleteAndDecideAtOnce lets two archives over one
// directory, as a server and a command beside it, store, delete, release and
// destroy the same few instances while others read and verify. No row is ever
// without its file, nobody reads half of one, and nothing is left over.
func TestTwoProcessesStoreDeleteAndDecideAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var both [2]*opened
	for i := range both {
		a, err := openIn(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.close)
		both[i] = a
	}
	var list []*dicom.DataSet // of each instance two contents, and one of another patient
	for i := range 6 {
		list = append(list, image(t, 1+i/3, 1, i), image(t, 1+i/3, 1, i, tag.StudyDescription, "other"), image(t, 1+i/3, 1, i, tag.PatientID, "ID9"))
	}
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Second)
	defer stop()
	var wg sync.WaitGroup
	work := func(name string, step func(a *opened, r *rand.Rand) error) {
		for i, a := range both {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), uint64(len(name))))
				for ctx.Err() == nil {
					switch err := step(a, r); fault.Of(err) {
					case fault.None, fault.NotFound, fault.Conflict, fault.Busy:
					case fault.Unavailable: // removed on its way; send again
					default:
						if ctx.Err() == nil {
							t.Errorf("%s: %v", name, err)
							return
						}
					}
				}
			})
		}
	}
	work("store", func(a *opened, r *rand.Rand) error {
		receipt, err := a.Ingest(ctx, incoming(t, list[r.IntN(len(list))]))
		if err != nil {
			return err
		}
		return readWhole(ctx, a, receipt.Instance)
	})
	work("delete", func(a *opened, r *rand.Rand) error {
		d := Deletion{Scope: Everything(), StudyUID: "1.2.3." + string(rune('1'+r.IntN(2))), Why: "because of the test"}
		if r.IntN(2) == 0 {
			d.SOPInstanceUID = list[3*r.IntN(6)].Text(tag.SOPInstanceUID)
		}
		_, err := a.Delete(ctx, d)
		return err
	})
	work("decide", func(a *opened, r *rand.Rand) error {
		entries, err := a.Quarantine(ctx, 0, 10)
		if err != nil || len(entries) == 0 {
			return err
		}
		e := entries[r.IntN(len(entries))]
		if r.IntN(3) == 0 {
			_, err = a.Release(ctx, e.ID, Source{Principal: "ada"})
			return err
		}
		return a.Destroy(ctx, e.ID, Source{Principal: "ada"})
	})
	work("read and verify", func(a *opened, r *rand.Rand) error {
		for ref, err := range a.Retrieve(ctx, RetrieveQuery{Scope: Everything(), StudyUIDs: []string{"1.2.3.1", "1.2.3.2"}}) {
			if err == nil {
				err = readWhole(ctx, a, ref)
			}
			if err != nil {
				return err
			}
		}
		for p, err := range a.Verify(ctx, VerifyOptions{}) {
			if err != nil {
				return err
			}
			t.Errorf("verify: %s", p.Kind)
		}
		return nil
	})
	wg.Wait()
	wantSound(t, both[0])
}

// readWhole reads the file of an instance; that it is gone is no error.
func readWhole(ctx context.Context, a *opened, ref InstanceRef) error {
	o, err := a.Open(ctx, ref)
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer o.Close()
	n, err := io.Copy(io.Discard, io.NewSectionReader(o, 0, o.Size()))
	if err == nil && n != ref.Size {
		return fault.New(fault.Internal, "half of a file was read")
	}
	return err
}

// wantSound wants each row to have its file and each file a row.
func wantSound(t *testing.T, a *opened) {
	t.Helper()
	if _, err := a.SetAside(t.Context(), time.Now().Add(time.Hour), nil); err != nil {
		t.Fatal(err)
	}
	for p, err := range a.Verify(t.Context(), VerifyOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("at the end: %s", p.Kind)
	}
	for range a.orphans(t.Context(), time.Now().Add(time.Hour)) {
		t.Error("at the end: a file without a row")
	}
}
