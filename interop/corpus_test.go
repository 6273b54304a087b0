//go:build interop

package interop_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// corpusRounds bounds how many archives the corpus is spread over: files of
// different content share SOP Instance UIDs, and an archive keeps the first.
const corpusRounds = 24

// TestCorpusGoesInAndComesOutUnchanged stores every file of the corpus that
// dcmdump reads and that is a composite object, has it committed, and fetches
// it by C-GET and by C-MOVE.
func TestCorpusGoesInAndComesOutUnchanged(t *testing.T) {
	corpusThrough(t, corpusRounds, archiveAlone)
}

// place is where the corpus goes in and comes out: a server with the keys of WS1, which
// may have all sent to DEST1.
type place struct {
	peer, keys string // of the archive, or of the route in front of it
	server     *harness.Server
	receiver   *harness.Receiver
	mayRefuse  []string // parts of reasons for what is rightly refused
}

// archiveAlone is an archive that clients reach themselves.
func archiveAlone(t *testing.T) place {
	t.Helper()
	s := harness.Start(t)
	address := harness.FreeAddress(t)
	dest := s.Device("DEST1", "--allow", "echo", "--listen", address)
	keys := s.Device("WS1", append(harness.All, "--move-to", "DEST1")...)
	return place{peer: s.Peer(), keys: keys, server: s, receiver: harness.StartReceiver(t, address, "DEST1", dest)}
}

// corpusThrough takes the corpus in and out, over as many archives as it needs, or most of
// them.
func corpusThrough(t *testing.T, most int, start func(*testing.T) place) {
	t.Helper()
	root := harness.Shared(t, "corpus")
	files, _ := corpusFiles(t, root)
	total := 0
	for round := 0; len(files) > 0 && round < most; round++ {
		if round == corpusRounds-1 {
			t.Fatalf("%d files are left after %d archives", len(files), round)
		}
		var next []string
		var stored int
		t.Run("", func(t *testing.T) { stored, next = corpusRound(t, files, start) })
		t.Logf("archive %d: %d stored, %d share an identity with one of them", round+1, stored, len(next))
		if stored == 0 {
			t.Fatal("no progress")
		}
		total += stored
		files = next
	}
	t.Logf("%d files went in and came out unchanged by C-GET and C-MOVE", total)
}

// TestCorpusFilesWithMalformedUIDsAreRefused holds the rest of the corpus to a
// refusal: a UID with letters or dashes could be a path somewhere (PS3.5 9.1).
func TestCorpusFilesWithMalformedUIDsAreRefused(t *testing.T) {
	t.Parallel()
	_, malformed := corpusFiles(t, harness.Shared(t, "corpus"))
	s := harness.Start(t)
	keys := s.Device("WS1", harness.All...)
	for _, path := range malformed {
		if out, code := harness.Run(t, "send", s.Peer(), "--as", keys, path); code != 3 {
			t.Errorf("%s: exit code %d: %s", filepath.Base(path), code, out)
		}
	}
	t.Logf("%d files with malformed UIDs are refused", len(malformed))
}

// corpusFiles lists what the manifest says dcmdump reads and has a SOP Class
// for storage; those with a UID that is none are listed apart.
func corpusFiles(t *testing.T, root string) (good, malformed []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(b)), "\n")
	for _, row := range rows[1:] {
		col := strings.Split(row, "\t")
		if col[len(col)-1] != "yes" {
			continue
		}
		path := filepath.Join(root, col[0])
		ds := harness.ReadFile(t, path).DataSet
		switch {
		case ds.Text(tag.SOPClassUID) == "" || ds.Text(tag.SOPClassUID) == uid.MediaStorageDirectory || ds.Text(tag.SOPInstanceUID) == "":
			// no composite object: a directory, or a raw data set of a test suite
		case hasMalformedUID(ds):
			malformed = append(malformed, path)
		default:
			good = append(good, path)
		}
	}
	return good, malformed
}

func hasMalformedUID(ds *dicom.DataSet) bool {
	for _, k := range []dicom.Tag{tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID} {
		if u := ds.Text(k); u != "" && !uid.Tolerable(u) {
			return true
		}
	}
	return false
}

type sendReport struct {
	Stored, Committed int
	Failed            []struct{ File, Reason string }
}

// onceEach takes one file of each SOP Instance UID and leaves the others for
// another archive: here they would be duplicates or held back, and while
// something is held back under a UID its commitment is not promised.
func onceEach(t *testing.T, files []string) (now, later []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, path := range files {
		u := harness.ReadFile(t, path).DataSet.Text(tag.SOPInstanceUID)
		if seen[u] {
			later = append(later, path)
			continue
		}
		seen[u] = true
		now = append(now, path)
	}
	return now, later
}

// corpusRound fills one archive and empties it again; it returns the files that
// an archive must refuse because another one has their identity.
func corpusRound(t *testing.T, files []string, start func(*testing.T) place) (stored int, next []string) {
	files, next = onceEach(t, files)
	at := start(t)
	s, keys, receiver := at.server, at.keys, at.receiver

	out, code := harness.Run(t, append([]string{"send", at.peer, "--as", keys, "-j", "1", "--commit", "-o", "json"}, files...)...)
	if code != 0 && code != 3 {
		t.Fatalf("send: exit code %d: %.2000s", code, out)
	}
	var report sendReport
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&report); err != nil {
		t.Fatal(err)
	}
	failed := map[string]bool{}
	for _, f := range report.Failed {
		failed[f.File] = true
		if strings.Contains(f.Reason, "held:") {
			next = append(next, f.File)
			continue
		}
		if slices.ContainsFunc(at.mayRefuse, func(part string) bool { return strings.Contains(f.Reason, part) }) {
			t.Logf("%s: %s", filepath.Base(f.File), f.Reason)
			continue
		}
		t.Errorf("%s: %s", strings.TrimPrefix(f.File, filepath.Dir(filepath.Dir(f.File))), f.Reason)
	}
	if report.Committed != report.Stored {
		t.Errorf("%d of %d are committed", report.Committed, report.Stored)
	}
	fetched := t.TempDir()
	for _, study := range strings.Fields(s.Must("find", at.peer, "--as", keys, "-o", "uids")) {
		s.Must("get", at.peer, "--as", keys, "--study", study, "--out", fetched)
		s.Must("move", at.peer, "--as", keys, "--study", study, "--to", "DEST1")
	}
	got, moved := byInstance(t, fetched), byInstance(t, receiver.Dir)
	seen := map[string]bool{}
	for _, path := range files {
		if failed[path] {
			continue
		}
		want := harness.ReadFile(t, path)
		even, err := want.DataSet.Evened() // what may be sent of it (PS3.5 7.1.1)
		if err != nil {
			t.Fatal(err)
		}
		u := want.DataSet.Text(tag.SOPInstanceUID)
		seen[u] = true
		for how, list := range map[string]map[string]string{"C-GET": got, "C-MOVE": moved} {
			name, ok := list[u]
			if !ok {
				t.Errorf("%s did not come out by %s", filepath.Base(path), how)
				continue
			}
			f := harness.ReadFile(t, name)
			if !f.DataSet.Equal(even) || f.TransferSyntax != want.TransferSyntax && want.Meta.Text(tag.TransferSyntaxUID) != "" {
				t.Errorf("%s came out changed by %s (%s as %s)", filepath.Base(path), how, uid.Name(want.TransferSyntax), uid.Name(f.TransferSyntax))
			}
		}
	}
	if len(got) != len(seen) || len(moved) != len(seen) {
		t.Errorf("%d instances went in; %d came out by C-GET, %d by C-MOVE", len(seen), len(got), len(moved))
	}
	return report.Stored, next
}

func byInstance(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, path := range harness.Files(t, dir) {
		out[strings.TrimSuffix(filepath.Base(path), ".dcm")] = path
	}
	return out
}
