package outbox_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/db"
	"collimator/internal/outbox"
	"collimator/internal/outbox/outboxtest"
)

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, outbox.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The index is lost, or one of a backup is put in its place: what was acknowledged since is in the files.
func TestWhatWasAcknowledgedArrivesThoughTheIndexIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir, nil)
		want := []string{"1.2.3", "1.2.1", "1.2.2"}
		for _, instance := range want {
			if err := s.Put(t.Context(), "1.2", instance, "content of "+instance); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if err := s.DB.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `DELETE FROM outbox`)
			return err
		}); err != nil {
			t.Fatal(err)
		}

		again := over(t, s.DB, dir, nil)
		list, err := again.Queue(t.Context())
		if err != nil || len(list) != 3 || list[0].Patient != "ZZPHI" || list[0].Study != "1.2" || list[0].Size != int64(len("content of 1.2.3")) {
			t.Fatalf("%v %+v", err, list)
		}
		to := &outboxtest.Target{}
		again.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, again)
		time.Sleep(time.Minute)
		var got []string
		for _, a := range to.Arrived() {
			got = append(got, a.UID)
		}
		if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || len(files(t, dir)) != 0 {
			t.Errorf("arrived %v, left %v", got, files(t, dir))
		}
	})
}

func TestWhatWasDroppedDoesNotComeBackAndWhatWasNotDroppedDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, nil)
	if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != nil {
		t.Fatal(err)
	}
	list, _ := s.Queue(t.Context())
	no := errors.New("no record")
	drop := func(err error) error {
		return outbox.Drop(t.Context(), s.DB, s.Dir, list[0], func(context.Context, *db.Tx) error { return err })
	}
	if err := drop(no); !errors.Is(err, no) || len(files(t, dir)) != 1 {
		t.Errorf("without a record: %v, files %v", err, files(t, dir))
	}

	// Killed between the file and the commit, and after it.
	file := files(t, dir)[0]
	if err := os.Rename(file, file+".withdrawn"); err != nil {
		t.Fatal(err)
	}
	again := over(t, s.DB, dir, nil)
	if left, _ := again.Queue(t.Context()); len(left) != 1 || left[0].State != outbox.Waiting || files(t, dir)[0] != file {
		t.Errorf("before the commit: %+v, files %v", left, files(t, dir))
	}
	if err := drop(nil); err != nil || len(files(t, dir)) != 0 {
		t.Errorf("%v, files %v", err, files(t, dir))
	}
	if err := os.WriteFile(file+".withdrawn", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	again = over(t, s.DB, dir, nil)
	if left, _ := again.Queue(t.Context()); len(left) != 0 || len(files(t, dir)) != 0 {
		t.Errorf("after the commit: %+v, files %v", left, files(t, dir))
	}
}

// A sender that goes while its object is queued, or a row that cannot be written, leaves no file.
func TestAnObjectThatIsNotQueuedLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, nil)
	no := errors.New("no")
	for _, instead := range []func(context.CancelFunc) error{
		func(context.CancelFunc) error { return no },
		func(stop context.CancelFunc) error { stop(); return nil },
	} {
		ctx, stop := context.WithCancel(t.Context())
		w, err := s.Create(ctx, outbox.Item{Destination: away, Study: "1.2", SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "a"); err != nil {
			t.Fatal(err)
		}
		err = w.Commit(ctx, func(context.Context, *db.Tx) error { return instead(stop) })
		stop()
		if list, _ := s.Queue(t.Context()); err == nil || len(list) != 0 || len(files(t, dir)) != 0 {
			t.Errorf("%v: %d wait, files %v", err, len(list), files(t, dir))
		}
	}
}

// What is refused for good and comes again takes the place of the file before.
func TestWhatComesAgainHasOneFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir, nil)
		to := &outboxtest.Target{Answer: func(string, int) (dimse.StatusCode, error) { return dimse.DataSetDoesNotMatchSOPClass, nil }}
		s.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, s)
		for range 3 {
			if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if list, _ := s.Queue(t.Context()); len(list) != 1 || list[0].State != outbox.Aside || len(files(t, dir)) != 1 {
				t.Errorf("%+v, files %v", list, files(t, dir))
			}
		}
	})
}

func TestAnotherTargetGetsWhatCameBeforeItOnlyWhenAPersonSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), nil)
		put := func(target, instance string) {
			t.Helper()
			w, err := s.Create(t.Context(), outbox.Item{Destination: away, Target: target, Study: "1.2", SOPClassUID: uid.CTImageStorage,
				SOPInstanceUID: instance, TransferSyntax: uid.ExplicitVRLittleEndian})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, "a"); err != nil {
				t.Fatal(err)
			}
			if err := w.Commit(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, instance := range []string{"1.2.1", "1.2.2", "1.2.3"} {
			put("OLD@10.0.0.1:104", instance)
		}
		to := &outboxtest.Target{}
		way := to.Way(outbox.No)
		way.Target = "NEW@10.0.0.2:104"
		s.Set(map[string]outbox.Way{away: way})
		run(t, s)
		put(way.Target, "1.2.4")
		if err := s.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if a := to.Arrived(); len(a) != 1 || a[0].UID != "1.2.4" {
			t.Fatalf("arrived: %+v", a)
		}

		// The modality sends one again, to what is the target now; a person sends the rest.
		put(way.Target, "1.2.2")
		time.Sleep(time.Minute)
		if a := to.Arrived(); len(a) != 2 || a[1].UID != "1.2.2" {
			t.Fatalf("arrived: %+v", a)
		}
		if n, err := outbox.Redirect(t.Context(), s.DB, away, way.Target); err != nil || n != 2 {
			t.Fatalf("%d, %v", n, err)
		}
		time.Sleep(time.Minute)
		if list, _ := s.Queue(t.Context()); len(list) != 0 || len(to.Arrived()) != 4 {
			t.Errorf("%+v, arrived %v", list, to.Arrived())
		}
	})
}

// A person redirects what waits while some of it is being sent to the target of before: that it was
// stored there says nothing of the one that it goes to now.
func TestWhatIsRedirectedWhileItIsSentGoesToTheNewTarget(t *testing.T) {
	t.Parallel()
	const before, now = "OLD@10.0.0.1:104", "NEW@10.0.0.2:104"
	for name, c := range map[string]struct {
		commit outbox.Commit
		answer dimse.StatusCode
	}{"stored": {outbox.No, dimse.Success}, "not now": {outbox.No, dimse.OutOfResources}, "never": {outbox.No, dimse.InvalidSOPInstance}, "committed to": {outbox.Required, dimse.Success}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := open(t, t.TempDir(), nil)
				w, err := s.Create(t.Context(), outbox.Item{
					Destination: away, Target: before, Study: "1.2", SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.1",
					TransferSyntax: uid.ExplicitVRLittleEndian,
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Commit(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				redirect := func() {
					if _, err := outbox.Redirect(t.Context(), s.DB, away, now); err != nil {
						t.Error(err)
					}
				}
				old := &outboxtest.Target{Commits: true, Answer: func(string, int) (dimse.StatusCode, error) {
					if c.commit == outbox.No {
						redirect()
					}
					return c.answer, nil
				}, Keeps: func(string, int) bool {
					redirect()
					return true
				}}
				old.Reports(s.Outbox, away)
				way := old.Way(c.commit)
				way.Target = before
				s.Set(map[string]outbox.Way{away: way})
				run(t, s)
				time.Sleep(time.Minute)

				to := &outboxtest.Target{Commits: true}
				to.Reports(s.Outbox, away)
				way = to.Way(c.commit)
				way.Target, way.Mark = now, "new"
				s.Set(map[string]outbox.Way{away: way})
				time.Sleep(3 * time.Hour)
				if list, _ := s.Queue(t.Context()); len(old.Arrived()) > 1 || len(to.Arrived()) != 1 || len(list) > 0 {
					t.Errorf("arrived %v and %v, waiting %+v", old.Arrived(), to.Arrived(), list)
				}
			})
		})
	}
}
