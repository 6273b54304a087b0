//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
	"collimator/dicom/uid"
	"collimator/interop/harness"
	built "collimator/web"
)

// updateOHIF writes the table anew, of what OHIF makes of the corpus.
var updateOHIF = flag.Bool("update-ohif", false, "write testdata/ohif.tsv anew")

// ohifTable is one object of the corpus for each modality and transfer syntax: the file, both, and what OHIF shows.
const ohifTable = "testdata/ohif.tsv"

// ohifFew is how many are opened where not all are asked for: each takes seconds.
const ohifFew = 8

// ohifObject is one of them.
type ohifObject struct {
	File, Modality, Syntax, Study, Series, Instance string
}

// TestOHIFOpensEveryKindOfTheCorpus opens one object of each modality and transfer syntax, each in a study of its own, and
// holds the picture against what the server renders. In CI a few of the table; make viewers all of it.
func TestOHIFOpensEveryKindOfTheCorpus(t *testing.T) {
	t.Parallel()
	node, chromium := harness.Tool(t, "node", "nodejs"), harness.Tool(t, "chromium", "chromium")
	if _, err := built.Viewer(); errors.Is(err, built.ErrNotBuilt) && os.Getenv("CI") != "true" {
		t.Skipf("left out: %v", err)
	}
	folder := t.TempDir()
	objects := ohifObjects(t, harness.Shared(t, "corpus"), folder)
	all := os.Getenv("COLLIMATOR_VIEWERS") == "all" || *updateOHIF
	want := ohifWanted(t)
	if !all {
		objects = fewOf(objects, want)
	}

	s := startReadable(t)
	if out, code := harness.Run(t, "send", s.Peer(), "--as", s.keys, folder); code != 0 {
		t.Logf("not everything is stored: %s", out[max(0, len(out)-800):])
	}
	list := filepath.Join(t.TempDir(), "objects.json")
	b, err := json.Marshal(objects)
	if err == nil {
		err = os.WriteFile(list, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}

	out, code := harness.Exec(t, 20*time.Minute, []string{"CHROMIUM=" + chromium}, node, filepath.Join(npmInstall(t, "browser"), "ohif.mjs"),
		s.origin, "rita", facePassword, list, os.Getenv("COLLIMATOR_PICTURES"))
	if code != 0 {
		t.Fatalf("the viewer does not work: %s\n%s", out, s.Output())
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var seen struct {
		Shown    map[string]string // by file
		Troubles map[string][]string
		Hosts    map[string]bool
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ohifJudged(t, objects, seen.Shown, want, all)
	for file, troubles := range seen.Troubles {
		if !expectedOfOHIF(want[file]) {
			t.Errorf("%s: %s", file, strings.Join(troubles, "; "))
		}
	}
	if len(seen.Hosts) != 1 {
		t.Errorf("asked of %v", seen.Hosts)
	}
}

// expectedOfOHIF reports an object that OHIF does not show, and complains of.
func expectedOfOHIF(how string) bool {
	return how != "" && !strings.HasPrefix(how, "as rendered") && how != "shown"
}

// ohifJudged holds what is shown against the table.
func ohifJudged(t *testing.T, objects []ohifObject, shown, want map[string]string, all bool) {
	t.Helper()
	var table bytes.Buffer
	for _, o := range objects {
		how := shown[o.File]
		fmt.Fprintf(&table, "%s\t%s\t%s\t%s\n", o.File, o.Modality, uid.Name(o.Syntax), how)
		if w, ok := want[o.File]; !*updateOHIF && (!ok || w != how) {
			t.Errorf("%s (%s, %s): %q, want %q", o.File, o.Modality, uid.Name(o.Syntax), how, w)
		}
	}
	t.Logf("%d studies\n%s", len(objects), table.String())
	if *updateOHIF {
		if err := os.WriteFile(ohifTable, table.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if all && !*updateOHIF && len(want) != len(objects) {
		t.Errorf("%d objects, and %d in %s; -update-ohif writes it anew", len(objects), len(want), ohifTable)
	}
}

// ohifWanted is the table: how each file is shown.
func ohifWanted(t *testing.T) map[string]string {
	t.Helper()
	want := map[string]string{}
	b, err := os.ReadFile(ohifTable)
	if err != nil && !*updateOHIF {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 4 {
			want[f[0]] = f[3]
		}
	}
	return want
}

// fewOf takes some that differ in how they are shown and in what they are.
func fewOf(objects []ohifObject, want map[string]string) []ohifObject {
	var few []ohifObject
	seen := map[string]int{}
	for _, o := range objects {
		key := o.Syntax
		if strings.HasPrefix(want[o.File], "as rendered") && seen[key] == 0 && len(few) < ohifFew {
			few = append(few, o)
		}
		seen[key]++
	}
	return few
}

// ohifObjects writes one object of the corpus for each modality and transfer syntax into a folder, each in a study of its
// own under other UIDs.
func ohifObjects(t *testing.T, corpus, folder string) []ohifObject {
	t.Helper()
	type key struct{ modality, syntax string }
	taken := map[key]bool{}
	var out []ohifObject
	paths := harness.Files(t, corpus)
	slices.Sort(paths)
	for _, path := range paths {
		f, ok := wholeFile(t, path)
		if !ok {
			continue
		}
		k := key{f.DataSet.Text(tag.Modality), f.TransferSyntax}
		if taken[k] {
			continue
		}
		rel, err := filepath.Rel(corpus, path)
		if err != nil {
			t.Fatal(err)
		}
		o := ohifObject{File: rel, Modality: k.modality, Syntax: k.syntax, Study: uid.New(), Series: uid.New(), Instance: uid.New()}
		if moved(t, f, o, filepath.Join(folder, fmt.Sprintf("%03d.dcm", len(out)))) {
			taken[k] = true
			out = append(out, o)
		}
	}
	return out
}

// wholeFile reads a file of the corpus that names a study, a series and an instance.
func wholeFile(t *testing.T, path string) (*dicom.File, bool) {
	t.Helper()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := dicom.ReadFile(r, dicom.DecodeOptions{})
	if err != nil || !uid.Storable(f.DataSet.Text(tag.SOPClassUID)) {
		return nil, false
	}
	return f, f.DataSet.Text(tag.StudyInstanceUID) != "" && f.DataSet.Text(tag.SeriesInstanceUID) != ""
}

// moved writes a file under other UIDs; false where it cannot be written.
func moved(t *testing.T, f *dicom.File, o ohifObject, path string) bool {
	t.Helper()
	for at, value := range map[dicom.Tag]string{tag.StudyInstanceUID: o.Study, tag.SeriesInstanceUID: o.Series, tag.SOPInstanceUID: o.Instance} {
		if err := f.DataSet.SetText(at, value); err != nil {
			return false
		}
	}
	b := bytes.NewBuffer(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: f.DataSet.Text(tag.SOPClassUID), SOPInstanceUID: o.Instance, TransferSyntaxUID: f.TransferSyntax,
	}))
	if err := dicom.Encode(b, f.DataSet, f.TransferSyntax); err != nil {
		return false
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return true
}
