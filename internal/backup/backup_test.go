package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/fault"
	"collimator/internal/ledger"
	"collimator/internal/recovery"
)

// house is an archive with a ledger, and a recovery key.
type house struct {
	*testing.T
	dir     string
	db      *db.DB
	blobs   *blob.Dir
	ledger  *ledger.Log
	archive *archive.Archive
	key     *recovery.Key
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, dir: t.TempDir()}
	var err error
	h.db, err = dbtest.Open(t.Context(), filepath.Join(h.dir, "index.db"))
	h.must(err)
	h.blobs, err = blob.OpenDir(filepath.Join(h.dir, "blobs"))
	h.must(err)
	signer, err := ledger.OpenKey(filepath.Join(h.dir, "keys"), "test/ledger")
	h.must(err)
	h.ledger = ledger.New(h.db, signer)
	h.archive, err = archive.Open(archive.Options{DB: h.db, Blobs: h.blobs, Record: h.record})
	h.must(err)
	h.key, err = recovery.New()
	h.must(err)
	t.Cleanup(func() { errors.Join(h.blobs.Close(), h.db.Close()) })
	return h
}

func (h *house) record(ctx context.Context, tx *db.Tx, ev archive.Event) error {
	b, err := json.Marshal(ev.Statement())
	if err != nil {
		return err
	}
	_, err = h.ledger.Append(ctx, tx, ledger.Leaf{Kind: archive.LeafKind, Ref: ev.Instance.SOPInstanceUID, Data: string(b)})
	return err
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// store keeps image i of study s.
func (h *house) store(ctx context.Context, s, i int) (archive.InstanceRef, error) {
	ds := dicom.NewDataSet()
	for t, v := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.SecondaryCaptureImageStorage, tag.SOPInstanceUID: fmt.Sprintf("1.2.3.%d.1.%d", s, i),
		tag.StudyInstanceUID: fmt.Sprintf("1.2.3.%d", s), tag.SeriesInstanceUID: fmt.Sprintf("1.2.3.%d.1", s), tag.PatientName: "ZZPHI^A", tag.PatientID: fmt.Sprint(s),
	} {
		if err := ds.SetText(t, v); err != nil {
			return archive.InstanceRef{}, err
		}
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{byte(i), byte(s)}, 2000)))
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		return archive.InstanceRef{}, err
	}
	r, err := h.archive.Ingest(ctx, archive.Incoming{TransferSyntaxUID: uid.ExplicitVRLittleEndian, Data: &b})
	return r.Instance, err
}

func (h *house) delete(ctx context.Context, s int) error {
	_, err := h.archive.Delete(ctx, archive.Deletion{StudyUID: fmt.Sprintf("1.2.3.%d", s), Why: "by mistake", Scope: archive.Everything()})
	return err
}

func (h *house) backup(to string, change func(*Source)) (Result, error) {
	h.Helper()
	d, err := Create(to)
	h.must(err)
	s := Source{Data: h.dir, DB: h.db, Blobs: h.blobs, Ledger: h.ledger, Public: h.key.Public(), Program: "test", Keep: 7, Now: time.Now}
	if change != nil {
		change(&s)
	}
	r, err := d.Make(h.Context(), s)
	return r, errors.Join(err, d.Close())
}

// restored brings the newest copy back and wants files and rows to agree.
func (h *house) restored(from string, key *recovery.Key) (string, Restored) {
	h.Helper()
	d, err := OpenDir(from)
	h.must(err)
	to := filepath.Join(h.TempDir(), "new")
	r, err := d.Restore(h.Context(), Restoring{Data: to, Key: key})
	h.must(err)

	x, err := db.Open(h.Context(), db.Options{Path: filepath.Join(to, "index.db")})
	h.must(err)
	defer x.Close()
	b, err := blob.OpenDir(filepath.Join(to, "blobs"))
	h.must(err)
	defer b.Close()
	a, err := archive.Open(archive.Options{DB: x, Blobs: b})
	h.must(err)
	for p, err := range a.Verify(h.Context(), archive.VerifyOptions{}) {
		h.must(err)
		h.Errorf("%+v", p)
	}
	return to, r
}

func TestBackupBesideStoringAndDeletingIsOfOneMoment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	to := filepath.Join(t.TempDir(), "backup")
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				s := w*1000 + n
				_, err := h.store(ctx, s, 1)
				if err == nil && n > 3 {
					err = h.delete(ctx, s-3)
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}

	for range 4 {
		r, err := h.backup(to, nil)
		if err != nil && fault.Of(err) != fault.Busy {
			t.Error(err)
		}
		if err == nil && len(r.Lacking) != 0 {
			t.Errorf("%+v", r.Lacking)
		}
	}
	stop()
	wg.Wait()
	if _, err := h.backup(to, nil); err != nil {
		t.Fatal(err)
	}
	_, r := h.restored(to, h.key)
	if len(r.Missing) != 0 || r.Files == 0 || !strings.HasPrefix(r.Checkpoint, "test/ledger\n") {
		t.Errorf("%+v", r)
	}
}

func TestDeletionWhileFilesAreCopiedMakesTheIndexBeCopiedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for s := range 3 {
		_, err := h.store(t.Context(), s, 1)
		h.must(err)
	}
	var late archive.InstanceRef
	gone := false
	r, err := h.backup(filepath.Join(t.TempDir(), "backup"), func(s *Source) {
		s.Blobs = &watchedStore{Store: h.blobs, before: func(key string) {
			// One that only the copy of the index names is deleted before it is copied.
			var err error
			switch {
			case late.Digest == "":
				late, err = h.store(t.Context(), 9, 1)
			case key == late.Digest && !gone:
				gone = true
				err = h.delete(t.Context(), 9)
			}
			h.must(err)
		}}
	})
	h.must(err)
	if !gone || r.Files != 3 || len(r.Lacking) != 0 {
		t.Errorf("deleted %v, %+v", gone, r)
	}
}

// watchedStore does something before a blob is opened.
type watchedStore struct {
	blob.Store
	before func(key string)
}

func (s *watchedStore) Open(ctx context.Context, key string) (blob.Object, error) {
	s.before(key)
	return s.Store.Open(ctx, key)
}

func TestDamagedAndMissingFilesAreListedAndTheRestIsCopied(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var refs []archive.InstanceRef
	for s := range 3 {
		ref, err := h.store(t.Context(), s, 1)
		h.must(err)
		refs = append(refs, ref)
	}
	path := func(key string) string { return filepath.Join(h.dir, "blobs", key[:2], key[2:3], key) }
	b, err := os.ReadFile(path(refs[0].Digest))
	h.must(err)
	b[len(b)-1] ^= 1
	h.must(os.WriteFile(path(refs[0].Digest), b, 0o600))
	h.must(os.Remove(path(refs[1].Digest)))

	r, err := h.backup(filepath.Join(t.TempDir(), "backup"), nil)
	h.must(err)
	if r.Copied != 1 || len(r.Lacking) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestBackupKeepsWhatACopyNamesAndRemovesTheRest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	to := filepath.Join(t.TempDir(), "backup")
	for s := range 4 {
		_, err := h.store(t.Context(), s, 1)
		h.must(err)
	}
	keep := func(n int) func(*Source) { return func(s *Source) { s.Keep = n } }
	_, err := h.backup(to, keep(2))
	h.must(err)
	h.must(h.delete(t.Context(), 0))
	h.must(h.delete(t.Context(), 3))
	r, err := h.backup(to, keep(2))
	h.must(err)
	if r.Removed != 0 || r.Kept != 2 || r.Copied != 0 {
		t.Errorf("%+v", r)
	}
	r, err = h.backup(to, keep(2))
	h.must(err)
	if r.Removed != 2 || r.Kept != 2 {
		t.Errorf("%+v", r)
	}
	if _, r := h.restored(to, h.key); r.Files != 2 {
		t.Errorf("%+v", r)
	}
}

func TestKeysAreReadWithTheRecoveryKeyAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.must(os.WriteFile(filepath.Join(h.dir, "keys", "ca.key.pem"), []byte("ZZPHI key"), 0o600))
	to := filepath.Join(t.TempDir(), "backup")
	_, err := h.backup(to, nil)
	h.must(err)
	h.must(filepath.WalkDir(to, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("ZZPHI key")) || bytes.Contains(b, []byte("PRIVATE+KEY")) {
			t.Errorf("a key can be read in %s", path)
		}
		return err
	}))

	dir, _ := h.restored(to, h.key)
	if b, err := os.ReadFile(filepath.Join(dir, "keys", "ca.key.pem")); err != nil || string(b) != "ZZPHI key" {
		t.Errorf("%q %v", b, err)
	}
	other, err := recovery.New()
	h.must(err)
	d, err := OpenDir(to)
	h.must(err)
	if _, err := d.Restore(t.Context(), Restoring{Data: filepath.Join(t.TempDir(), "x"), Key: other}); fault.Of(err) != fault.Denied {
		t.Errorf("another key: %v", err)
	}
}

func TestTornOrChangedCopiesAreRecognised(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.store(t.Context(), 1, 1)
	h.must(err)
	to := filepath.Join(t.TempDir(), "backup")
	first, err := h.backup(to, nil)
	h.must(err)
	second, err := h.backup(to, nil)
	h.must(err)
	index := filepath.Join(to, "copies", second.Name, "index.db")
	b, err := os.ReadFile(index)
	h.must(err)
	b[len(b)/2] ^= 1
	h.must(os.WriteFile(index, b, 0o600))

	d, err := OpenDir(to)
	h.must(err)
	place := filepath.Join(t.TempDir(), "x")
	if _, err := d.Restore(t.Context(), Restoring{Data: place, Key: h.key}); fault.Of(err) != fault.Invalid {
		t.Errorf("a changed index: %v", err)
	}
	if _, err := os.Stat(filepath.Join(place, "index.db")); err == nil {
		t.Error("a changed index was restored")
	}

	h.must(os.Remove(filepath.Join(to, "copies", second.Name, "manifest.json")))
	whole, torn, err := d.Copies()
	if err != nil || len(whole) != 1 || whole[0].Name != first.Name || len(torn) != 1 || torn[0] != second.Name {
		t.Errorf("%v %v %v", whole, torn, err)
	}
	_, err = h.backup(to, nil)
	h.must(err)
	if _, torn, err := d.Copies(); err != nil || len(torn) != 0 {
		t.Errorf("%v %v", torn, err)
	}
}

func TestNewestCopyIsTheLastOneWhateverTheClockSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	to := filepath.Join(t.TempDir(), "backup")
	var last Result
	for i, year := range []int{2026, 2099, 2026} {
		_, err := h.store(t.Context(), i, 1)
		h.must(err)
		last, err = h.backup(to, func(s *Source) {
			s.Now = func() time.Time { return time.Date(year, 1, 1, 0, 0, i, 0, time.UTC) }
			s.Keep = 2
		})
		h.must(err)
	}
	_, r := h.restored(to, h.key)
	if r.Name != last.Name || r.Files != 3 || r.Made.Year() != 2026 {
		t.Errorf("%+v", r)
	}
}

func TestBackupIsMadeByOneAtATimeAndOnlyIntoItsOwnDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	to := filepath.Join(dir, "backup")
	d, err := Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(to); fault.Of(err) != fault.Busy {
		t.Errorf("%v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir); fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}
