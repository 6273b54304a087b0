//go:build interop

package interop_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// TestKilledServerBesideDeletionsReleasesAndRetrievals kills the server again
// and again while images come in, studies are deleted, corrections are released,
// backups are made and studies are fetched. Nothing acknowledged is lost, nothing
// deleted comes back, no retrieval ends well with less or with other than was
// asked for, and the ledger agrees.
func TestKilledServerBesideDeletionsReleasesAndRetrievals(t *testing.T) {
	n := rounds(t)
	if n == 20 {
		n = 5 // each is much work; the others by hand
	}
	b := newBeside(t)
	for round := range n {
		touched := b.round(t)
		if round%20 == 19 || round == n-1 {
			touched = slices.Collect(maps.Keys(b.stored)) // of all that came before, too
		}
		b.check(t, touched)
		if t.Failed() {
			t.Fatalf("in round %d; the log of the server: %s", round+1, b.s.Output())
		}
		t.Logf("round %d: %d studies stored, %d deleted, %d images corrected", round+1, len(b.stored), len(b.deleted), len(b.corrected))
	}
}

// beside is one data directory and what is known of it from outside.
type beside struct {
	data, keys string
	s          *harness.Server
	stored     map[string]map[string]string // study: instance: file, as acknowledged
	deleted    map[string]bool              // studies
	corrected  map[string]string            // instance: the study description it was given
	versions   int                          // corrections sent, so that no two have one text
	present    map[string]int               // study: images that were there at the last check
	backup     string
}

func newBeside(t *testing.T) *beside {
	t.Helper()
	b := &beside{
		data: filepath.Join(t.TempDir(), "data"), backup: filepath.Join(t.TempDir(), "backup"),
		stored: map[string]map[string]string{}, deleted: map[string]bool{}, corrected: map[string]string{}, present: map[string]int{},
	}
	b.s = harness.StartIn(t, b.data)
	b.keys = b.s.Device("WS1", harness.All...)
	for range 3 {
		b.send(t, b.write(t, uid.New(), 12))
	}

	return b
}

// write makes a study of n images.
func (b *beside) write(t *testing.T, study string, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		harness.Instance{Study: study, Fill: byte(i), Pixels: 32 << 10}.Write(t, dir)
	}

	return dir
}

// send sends a directory whole.
func (b *beside) send(t *testing.T, dir string) {
	t.Helper()
	b.s.Must("send", b.s.Peer(), dir, "--as", b.keys)
	b.acknowledge(t, harness.Files(t, dir))
}

func (b *beside) acknowledge(t *testing.T, files []string) {
	t.Helper()
	for _, path := range files {
		ds := harness.ReadFile(t, path).DataSet
		study := ds.Text(tag.StudyInstanceUID)
		if b.stored[study] == nil {
			b.stored[study] = map[string]string{}
		}
		b.stored[study][ds.Text(tag.SOPInstanceUID)] = path
	}
}

// pick is a study that is stored and not deleted.
func (b *beside) pick(except ...string) string {
	for study := range b.stored {
		if !b.deleted[study] && !strings.Contains(strings.Join(except, " "), study) {
			return study
		}
	}

	return ""
}

// round does everything at once and kills the server in the middle. It gives the
// studies that something was done to.
func (b *beside) round(t *testing.T) (touched []string) {
	t.Helper()
	whole, cut := uid.New(), uid.New()
	b.send(t, b.write(t, whole, 12))
	doomed := b.pick()
	fixed := b.pick(doomed)
	fetched := b.pick(doomed, fixed)
	number := b.contradict(t, fixed)

	dir := b.write(t, cut, 40)
	journal := filepath.Join(t.TempDir(), "journal")
	send := exec.Command(harness.Binary(t), "send", b.s.Peer(), dir, "--as", b.keys, "-j", "2", "--journal", journal)
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}

	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { send.Wait() })
	wg.Go(func() { b.fetchUntil(t, stop, doomed) })
	wg.Go(func() { b.fetchUntil(t, stop, fetched) })
	gone, released := false, false
	wg.Go(func() {
		_, code := harness.Run(t, "delete", "--data", b.data, "--study", doomed, "--reason", "because of the test")
		gone = code == 0
		if number != "" {
			_, code = harness.Run(t, "quarantine", "release", number, "--data", b.data)
			released = code == 0
		}
	})
	wg.Go(func() { harness.Run(t, "backup", b.backup, "--data", b.data) })

	time.Sleep(time.Duration(50+rand.IntN(900)) * time.Millisecond)
	b.s.Strike()
	close(stop)
	wg.Wait()
	<-b.s.Exited()

	acknowledged := map[string]bool{}
	readJournal(t, journal, acknowledged)
	for path := range acknowledged {
		b.acknowledge(t, []string{path})
	}
	if gone {
		b.deleted[doomed] = true
	}
	b.s = harness.StartIn(t, b.data)
	if !gone {
		b.settle(t, doomed)
	}
	if number != "" && !released {
		harness.Run(t, "quarantine", "release", number, "--data", b.data) // once more does no harm
	}
	return []string{whole, cut, doomed, fixed, fetched}
}

// settle deletes what a deletion left that was cut off.
func (b *beside) settle(t *testing.T, study string) {
	t.Helper()
	harness.Run(t, "delete", "--data", b.data, "--study", study, "--reason", "because of the test")
	b.deleted[study] = true
}

// contradict sends a correction of one image of a study, and returns the
// number under which it is held.
func (b *beside) contradict(t *testing.T, study string) string {
	t.Helper()
	for instance, path := range b.stored[study] {
		ds := harness.ReadFile(t, path).DataSet.Clone()
		b.versions++ // one image may be corrected twice: the same text again would be no correction
		text := fmt.Sprintf("corrected %d", b.versions)

		if err := ds.SetText(tag.StudyDescription, text); err != nil {
			t.Fatal(err)
		}
		out := harness.WriteFile(t, t.TempDir(), ds)
		answer, _ := harness.Run(t, "send", b.s.Peer(), out, "--as", b.keys)
		b.corrected[instance] = text

		list, _ := harness.Run(t, "quarantine", "list", "--data", b.data)
		for line := range strings.Lines(list) {
			if f := strings.Fields(line); len(f) > 1 && f[1] == "different-content" {
				return f[0]
			}
		}
		t.Fatalf("the correction is not held: %s; the sender saw: %s", list, answer)
	}

	return ""
}

// fetchUntil fetches a study again and again. What ends well must be all of
// that study and nothing else.
func (b *beside) fetchUntil(t *testing.T, stop chan struct{}, study string) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		out := t.TempDir()
		text, code := harness.Run(t, "get", b.s.Peer(), "--as", b.keys, "--study", study, "--out", out)
		files := harness.Files(t, out)
		for _, path := range files {
			if of := studyOf(path); of != "" && of != study {
				t.Errorf("an image of another study came out")
			}
		}
		if want := b.images(study); code == 0 && len(files) != want && !strings.Contains(text, "nothing matches") {
			t.Errorf("a retrieval of %d images ended well with %d: %s", want, len(files), text)
		}
	}
}

// images is how many a study has: those that were acknowledged, and one that was
// stored when the kill took its acknowledgement.
func (b *beside) images(study string) int {
	if n, checked := b.present[study]; checked {
		return n
	}
	return len(b.stored[study])
}

// studyOf reads a file that may be half written; then it is of no study.
func studyOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	file, err := dicom.ReadFile(f, dicom.DecodeOptions{})
	if err != nil {
		return ""
	}

	return file.DataSet.Text(tag.StudyInstanceUID)
}

// check holds what is there of some studies against what is known, and all of it
// against the ledger.
func (b *beside) check(t *testing.T, studies []string) {
	t.Helper()
	for _, study := range studies {
		instances, known := b.stored[study]
		if !known {
			continue // nothing of it was acknowledged
		}
		out := t.TempDir()
		text, code := harness.Run(t, "get", b.s.Peer(), "--as", b.keys, "--study", study, "--out", out)
		files := harness.Files(t, out)
		if b.deleted[study] {
			if len(files) > 0 {
				t.Errorf("a deleted study is back with %d images", len(files))
			}
			continue
		}
		if code != 0 {
			t.Errorf("get: exit code %d: %s", code, text)
		}
		if n, checked := b.present[study]; checked && n != len(files) {
			t.Errorf("a study of %d images has %d now", n, len(files))
		}
		b.present[study] = len(files)
		got := map[string]*dicom.DataSet{}
		for _, path := range files {
			ds := harness.ReadFile(t, path).DataSet
			got[ds.Text(tag.SOPInstanceUID)] = ds
		}
		for instance, path := range instances {
			ds, ok := got[instance]
			switch {
			case !ok:
				t.Errorf("an acknowledged image is lost")
			case b.corrected[instance] != "":
			case !ds.Equal(harness.ReadFile(t, path).DataSet):
				t.Errorf("an acknowledged image came out changed")
			}
		}
	}
	if text, code := harness.Run(t, "verify", "--data", b.data); code != 0 {
		t.Errorf("verify: exit code %d: %s", code, text)
	}
}
