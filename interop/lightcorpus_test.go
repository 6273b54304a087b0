//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/interop/harness"
)

// updateLight writes the table anew, of what the light page shows otherwise than as a picture.
var updateLight = flag.Bool("update-light", false, "write testdata/light.tsv anew")

// lightTable is the objects of the corpus that the light page does not show as a picture: the file, and how it is shown
// or the sentence why it is not. It shrinks with each codec.
const lightTable = "testdata/light.tsv"

// TestTheLightPageShowsTheCorpus opens every object of the corpus on the light page: each is a picture that the server
// renders, or text, curves or a document, or the sentence that stands in the table. One of each kind is looked at in
// Chromium.
func TestTheLightPageShowsTheCorpus(t *testing.T) {
	t.Parallel()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	corpus := harness.Shared(t, "corpus")
	dir := npmInstall(t, "browser")
	s := startReadable(t)

	files := lightFiles(t, corpus)
	folder := t.TempDir() // of the files that are sent, under the names of their UIDs
	for uid, path := range files {
		if err := os.WriteFile(filepath.Join(folder, uid+".dcm"), harness.ReadBytes(t, filepath.Join(corpus, path)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := harness.Run(t, "send", s.Peer(), "--as", s.keys, folder); code != 0 {
		t.Logf("not everything is stored: %s", out[max(0, len(out)-500):])
	}

	out, code := harness.Exec(t, 9*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(dir, "lightcorpus.mjs"),
		s.origin, "rita", facePassword, os.Getenv("COLLIMATOR_PICTURES"))
	if code != 0 {
		t.Fatalf("the corpus is not shown: %s\n%s", out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen struct {
		Troubles []string
		Objects  map[string]string // by SOP Instance UID: how each is shown
		Looked   []string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	var table bytes.Buffer
	shown := map[string]int{}
	for _, uid := range lightSorted(files) {
		how, ok := seen.Objects[uid]
		if !ok {
			how = "not stored"
		}
		shown[how]++
		if how != "picture" {
			fmt.Fprintf(&table, "%s\t%s\n", files[uid], how)
		}
	}
	t.Logf("%d objects, %d looked at in the browser: %v\n%s", len(seen.Objects), len(seen.Looked), shown, strings.Join(seen.Looked, "\n"))
	if len(seen.Troubles) > 0 {
		t.Errorf("troubles:\n%s", strings.Join(seen.Troubles, "\n"))
	}
	if *updateLight {
		if err := os.WriteFile(lightTable, table.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(lightTable)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.String(); got != string(want) {
		t.Errorf("the light page shows other things than %s says; -update-light writes it anew\n%s", lightTable, difference(string(want), got))
	}
}

// lightFiles are the objects of the corpus that can be sent, by their UID: of several with one UID the first.
func lightFiles(t *testing.T, corpus string) map[string]string {
	t.Helper()
	out := map[string]string{}
	paths := harness.Files(t, corpus)
	slices.Sort(paths)
	for _, path := range paths {
		r, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := dicom.ReadFile(r, dicom.DecodeOptions{})
		r.Close()
		if err != nil || f.DataSet.Text(tag.StudyInstanceUID) == "" || f.DataSet.Text(tag.SeriesInstanceUID) == "" {
			continue
		}
		rel, err := filepath.Rel(corpus, path)
		if err != nil {
			t.Fatal(err)
		}
		if uid := f.DataSet.Text(tag.SOPInstanceUID); uid != "" && out[uid] == "" {
			out[uid] = rel
		}
	}
	return out
}

// lightSorted is the UIDs in the order of their files.
func lightSorted(files map[string]string) []string {
	var uids []string
	for uid := range files {
		uids = append(uids, uid)
	}
	slices.SortFunc(uids, func(a, b string) int { return strings.Compare(files[a], files[b]) })
	return uids
}

// difference is the lines that are in one text and not in the other.
func difference(want, got string) string {
	var out []string
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out[:min(len(out), 60)], "\n")
}
