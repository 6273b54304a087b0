package outbox_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/dimse/ul"
	"collimator/internal/db"
	"collimator/internal/db/dbtest"
	"collimator/internal/fault"
	"collimator/internal/outbox"
	"collimator/internal/outbox/outboxtest"
	"collimator/internal/state"
)

// sender puts into an outbox.
type sender struct {
	*outbox.Outbox
	states *state.Register
}

const away = "AWAY"

func (s sender) Put(ctx context.Context, study, instance, content string) error {
	w, err := s.Create(ctx, outbox.Item{
		Destination: away, Study: study, SOPClassUID: uid.CTImageStorage, SOPInstanceUID: instance,
		TransferSyntax: uid.ExplicitVRLittleEndian, Patient: "ZZPHI", Source: "CT2",
	})
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.WriteString(w, content); err != nil {
		return err
	}
	return w.Commit(ctx, nil)
}

func (s sender) Queue(ctx context.Context) ([]outbox.Item, error) {
	return outbox.List(ctx, s.DB, away, 1000)
}

func (s sender) Retry(ctx context.Context) error {
	_, err := outbox.Retry(ctx, s.DB, away, "")
	return err
}

// open opens an outbox in a directory.
func open(t testing.TB, dir string, change func(*outbox.Options)) sender {
	t.Helper()
	d, err := dbtest.Open(t.Context(), filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return over(t, d, dir, change)
}

func over(t testing.TB, d *db.DB, dir string, change func(*outbox.Options)) sender {
	t.Helper()
	o := outbox.Options{
		DB: d, Dir: filepath.Join(dir, outbox.Dir), Keys: dir, States: state.New(time.Now),
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	if change != nil {
		change(&o)
	}
	b, err := outbox.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return sender{b, o.States}
}

func run(t *testing.T, s sender) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	outboxtest.Run(t, func(t *testing.T, to *outboxtest.Target, commit outbox.Commit) outboxtest.Sender {
		s := open(t, t.TempDir(), nil)
		to.Reports(s.Outbox, away)
		s.Set(map[string]outbox.Way{away: to.Way(commit)})
		run(t, s)
		return s
	})
}

func TestWhatWaitsIsEncryptedAndOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir, nil)
		if err := s.Put(t.Context(), "1.2", "1.2.3", "ZZPHI^CONTENT"); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, outbox.Dir, "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v %v", files, err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil || bytes.Contains(text, []byte("ZZPHI")) {
			t.Errorf("it is not encrypted: %v", err)
		}

		again := over(t, s.DB, dir, nil)
		to := &outboxtest.Target{}
		again.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, again)
		time.Sleep(time.Minute)
		if len(to.Arrived()) != 1 {
			t.Errorf("arrived: %v", to.Arrived())
		}
		if left, _ := filepath.Glob(filepath.Join(dir, outbox.Dir, "*")); len(left) != 0 {
			t.Errorf("its file is still there: %v", left)
		}
	})
}

func TestAChangedOrMissingFileIsSetAside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir, nil)
		for _, instance := range []string{"1.2.1", "1.2.2"} {
			if err := s.Put(t.Context(), "1.2", instance, "content of "+instance); err != nil {
				t.Fatal(err)
			}
		}
		files, _ := filepath.Glob(filepath.Join(dir, outbox.Dir, "*"))
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)-1] ^= 1
		if err := os.WriteFile(files[0], text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(files[1]); err != nil {
			t.Fatal(err)
		}

		to := &outboxtest.Target{}
		again := over(t, s.DB, dir, nil)
		again.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, again)
		time.Sleep(time.Minute)
		list, err := again.Queue(t.Context())
		if err != nil || len(list) != 2 || list[0].State != outbox.Aside || list[1].State != outbox.Aside || len(to.Arrived()) != 0 {
			t.Errorf("%v %+v, arrived %v", err, list, to.Arrived())
		}

		// Sent again by who has it, it goes.
		for _, instance := range []string{"1.2.1", "1.2.2"} {
			if err := again.Put(t.Context(), "1.2", instance, "content of "+instance); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if len(to.Arrived()) != 2 {
			t.Errorf("arrived %v", to.Arrived())
		}
	})
}

func TestAFullDiskAndAFullQueueRefuse(t *testing.T) {
	t.Parallel()
	full := fault.New(fault.Unavailable, "no room")
	var room error
	s := open(t, t.TempDir(), func(o *outbox.Options) {
		o.Room = func() error { return room }
		o.Limits.Items = 2
	})
	room = full
	if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != full {
		t.Errorf("on a full disk: %v", err)
	}
	room = nil
	for _, instance := range []string{"1.2.1", "1.2.2"} {
		if err := s.Put(t.Context(), "1.2", instance, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), "1.2", "1.2.3", "a"); err != outbox.ErrFull {
		t.Errorf("beyond the quota: %v", err)
	}
	if list, _ := s.Queue(t.Context()); len(list) != 2 {
		t.Errorf("%+v", list)
	}
}

func TestWhatWaitsWithoutAWayIsKeptAndSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), nil)
		to := &outboxtest.Target{Answer: func(string, int) (dimse.StatusCode, error) { return dimse.OutOfResources, nil }}
		s.Set(map[string]outbox.Way{away: to.Way(outbox.No)})
		run(t, s)
		if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != nil {
			t.Fatal(err)
		}
		s.Set(nil)
		time.Sleep(2 * time.Hour)
		list, _ := s.Queue(t.Context())
		if len(list) != 1 || list[0].State != outbox.Waiting {
			t.Errorf("%+v", list)
		}
		all := s.states.All()
		if len(all) != 1 || all[0].Name != outbox.StatePart || all[0].Level != state.Degraded || !strings.Contains(all[0].Text, "1 object waits for AWAY") {
			t.Errorf("after two hours: %+v", all)
		}
		time.Sleep(24 * time.Hour)
		if all := s.states.All(); all[0].Level != state.Failing {
			t.Errorf("after a day: %+v", all)
		}
	})
}

// How often a destination was tried since it was reached, and when, is kept for whoever asks.
func TestWhenADestinationWasTriedIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, t.TempDir(), nil)
		run(t, s)
		if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != nil {
			t.Fatal(err)
		}
		var last time.Time
		away := outbox.Way{Commit: outbox.No, Open: func(context.Context, []ul.ProposedContext) (outbox.Session, error) {
			last = time.Now()
			return nil, outboxtest.ErrBroken
		}}
		s.Set(map[string]outbox.Way{"AWAY": away})
		time.Sleep(5 * time.Minute)
		synctest.Wait()

		list, err := outbox.Summaries(t.Context(), s.DB)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if got := list[0]; got.Tries < 3 || got.Tried.Sub(last).Abs() > time.Second || !got.Due.After(got.Tried) {
			t.Errorf("%+v, tried last at %s", got, last)
		}
	})
}

func TestAReportNobodyAskedForDropsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	if err := s.Put(t.Context(), "1.2", "1.2.1", "a"); err != nil {
		t.Fatal(err)
	}
	report := commitReport(t, "1.2.99", "1.2.1")
	if err := s.Report(t.Context(), away, report); fault.Of(err) != fault.Denied {
		t.Errorf("a stranger's transaction: %v", err)
	}
	if err := s.Report(t.Context(), away, commitReport(t, "", "1.2.1")); fault.Of(err) != fault.Denied {
		t.Errorf("no transaction: %v", err)
	}
	if list, _ := s.Queue(t.Context()); len(list) != 1 {
		t.Errorf("%+v", list)
	}
}

func commitReport(t *testing.T, transaction string, uids ...string) *dicom.DataSet {
	t.Helper()
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.TransactionUID, transaction); err != nil {
		t.Fatal(err)
	}
	var items []*dicom.DataSet
	for _, instance := range uids {
		item := dicom.NewDataSet()
		if err := item.SetText(tag.ReferencedSOPInstanceUID, instance); err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	ds.SetItems(tag.ReferencedSOPSequence, items...)
	return ds
}
