//go:build interop

package interop_test

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// rounds is how often the server is killed; more by hand with `make crash`.
func rounds(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("COLLIMATOR_CRASH_ROUNDS"))
	if err != nil || n < 1 {
		n = 20
	}
	t.Logf("%d rounds", n)
	return n
}

// TestKilledServerLosesNothingAcknowledged kills the server with SIGKILL in the
// middle of a parallel ingest, again and again on one data directory. All that
// any sender saw acknowledged must come out whole, and what is found must be
// retrievable.
func TestKilledServerLosesNothingAcknowledged(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := harness.StartIn(t, data)
	keys := s.Device("WS1", harness.All...)
	study := uid.New()
	acknowledged := map[string]bool{}
	for round := range rounds(t) {
		dir := t.TempDir()
		for i := range 60 {
			harness.Instance{Study: study, Fill: byte(i), Pixels: 64 << 10}.Write(t, dir)
		}
		journal := filepath.Join(t.TempDir(), "journal")
		ingestAndKill(t, s, keys, dir, journal)
		n := readJournal(t, journal, acknowledged)
		s = harness.StartIn(t, data)
		check(t, s, keys, study, acknowledged)
		t.Logf("round %d: %d of 60 acknowledged before the kill, %d in all", round+1, n, len(acknowledged))
	}
}

// ingestAndKill sends on four associations and kills the server when some part
// of them was acknowledged.
func ingestAndKill(t *testing.T, s *harness.Server, keys, dir, journal string) {
	t.Helper()
	send := exec.Command(harness.Binary(t), "send", s.Peer(), dir, "--as", keys, "-j", "4", "--journal", journal)
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { send.Wait() })
	after := int64(1 + rand.IntN(50))
	for end := time.Now().Add(20 * time.Second); lines(journal) < after && time.Now().Before(end) && send.ProcessState == nil; {
		time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
	}
	s.Kill()
	wg.Wait()
}

func lines(path string) (n int64) {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size() / 150 // about one line each
}

// readJournal adds what the sender saw acknowledged.
func readJournal(t *testing.T, path string, into map[string]bool) (n int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var e struct{ File string }
		if json.Unmarshal(sc.Bytes(), &e) == nil {
			into[e.File] = true
			n++
		}
	}
	return n
}

// check fetches the study and holds it against what was acknowledged; whatever
// is found must come out.
func check(t *testing.T, s *harness.Server, keys, study string, acknowledged map[string]bool) {
	t.Helper()
	out := t.TempDir()
	if text, code := harness.Run(t, "get", s.Peer(), "--as", keys, "--study", study, "--out", out); code != 0 {
		t.Fatalf("get: exit code %d: %s", code, text)
	}
	got := map[string]string{}
	for _, path := range harness.Files(t, out) {
		got[harness.ReadFile(t, path).DataSet.Text(tag.SOPInstanceUID)] = path
	}
	for path := range acknowledged {
		want := harness.ReadFile(t, path)
		name, ok := got[want.DataSet.Text(tag.SOPInstanceUID)]
		if !ok {
			t.Errorf("an acknowledged instance is lost")
			continue
		}
		if !harness.ReadFile(t, name).DataSet.Equal(want.DataSet) {
			t.Errorf("an acknowledged instance came out changed")
		}
	}
	var matches []map[string]struct{ Value []any }
	text := s.Must("find", s.Peer(), "--as", keys, "StudyInstanceUID="+study, "-o", "json")
	if err := json.Unmarshal([]byte(text), &matches); err != nil || len(matches) != 1 {
		t.Fatalf("the study is found %d times (%v)", len(matches), err)
	}
	if n := matches[0][tag.NumberOfStudyRelatedInstances.Hex()].Value; len(n) != 1 || int(n[0].(float64)) != len(got) {
		t.Errorf("the index counts %v instances, %d come out", n, len(got))
	}
}
