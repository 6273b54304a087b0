//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/interop/harness"
)

// rows reads a table of testdata; comments and empty lines are left out.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for _, line := range strings.Split(string(b), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, strings.Split(line, "\t"))
		}
	}
	return out
}

// names maps labels to UIDs and back.
type names struct{ uid, label map[string]string }

func (n names) put(label string) string {
	u := uid.New()
	n.uid[label], n.label[u] = u, label
	return u
}

// studies writes the table of studies as files.
func studies(t *testing.T, dir string) names {
	t.Helper()
	n := names{map[string]string{}, map[string]string{}}
	for _, row := range rows(t, "studies.tsv") {
		label := row[0]
		study := n.put(label)
		var charset []string
		if row[1] != "" {
			charset = strings.Split(row[1], `\`)
		}
		for i, series := range strings.Split(row[11], "+") {
			modality, count, _ := strings.Cut(series, "x")
			seriesLabel := fmt.Sprintf("%s/%d", label, i+1)
			seriesUID := n.put(seriesLabel)
			for k := range int(count[0] - '0') {
				in := harness.Instance{
					CharacterSet: charset, PatientName: row[2], PatientID: row[3], Study: study, Series: seriesUID,
					UID: n.put(fmt.Sprintf("%s/%d", seriesLabel, k+1)), Modality: modality, StudyDate: row[6],
					Set: map[dicom.Tag]string{
						tag.PatientBirthDate: row[4], tag.PatientSex: row[5], tag.StudyTime: row[7], tag.AccessionNumber: row[8],
						tag.StudyDescription: row[9], tag.ReferringPhysicianName: row[10],
						tag.SeriesNumber: fmt.Sprint(i + 1), tag.InstanceNumber: fmt.Sprint(k + 1),
					},
				}
				ds := in.DataSet(t)
				item := ds.NewItem()
				if err := item.SetText(tag.ScheduledProcedureStepID, "SPS-"+seriesLabel); err != nil {
					t.Fatal(err)
				}
				ds.SetItems(tag.RequestAttributesSequence, item)
				harness.WriteFile(t, dir, ds)
			}
		}
	}
	return n
}

var unique = map[string]string{"PATIENT": "(0010,0020)", "STUDY": "(0020,000d)", "SERIES": "(0020,000e)", "IMAGE": "(0008,0018)"}

// TestFindscuGetsTheKnownAnswers asks each query of the table with the
// unchanged findscu over mutual TLS.
func TestFindscuGetsTheKnownAnswers(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	d := newDCMTK(t, s, "WS1", harness.All...)
	dir := t.TempDir()
	n := studies(t, dir)
	s.Must("send", s.Peer(), "--as", d.keys, dir)
	queries := rows(t, "queries.tsv")
	if len(queries) < 60 {
		t.Fatalf("only %d queries", len(queries))
	}
	placeholder := regexp.MustCompile(`\{[^}]+\}`)
	for _, q := range queries {
		t.Run(q[0], func(t *testing.T) {
			root, level, expected := q[1], q[2], q[4]
			args := []string{"-" + root, "-k", "QueryRetrieveLevel=" + level, "-k", "SpecificCharacterSet=ISO_IR 192", "-k", unique[level]}
			for _, k := range strings.Split(q[3], ";") {
				if k != "" {
					args = append(args, "-k", placeholder.ReplaceAllStringFunc(k, func(l string) string { return n.uid[l[1:len(l)-1]] }))
				}
			}
			out, _ := d.run("findscu", args...)
			if status, isError := strings.CutPrefix(expected, "!"); isError {
				if status != "a900" || !strings.Contains(out, "DataSetDoesNotMatchSOPClass") {
					t.Errorf("want status %s:\n%s", status, out)
				}
				return
			}
			if strings.Contains(out, "E: ") || !strings.Contains(out, "Received Final Find Response (Success)") {
				t.Fatalf("%s", out)
			}
			got := answers(out, unique[level], n)
			var want []string
			if expected != "" {
				want = strings.Split(expected, ",")
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// answers are the labels of the unique keys in what findscu printed of the
// responses.
func answers(out, key string, n names) []string {
	_, responses, _ := strings.Cut(out, "Find Response: 1")
	var got []string
	for _, m := range regexp.MustCompile(`(?m)`+regexp.QuoteMeta(key)+` [A-Z]{2} \[([^\]]*)\]`).FindAllStringSubmatch(responses, -1) {
		v := strings.TrimRight(m[1], " \x00")
		if l, ok := n.label[v]; ok {
			v = l
		}
		got = append(got, v)
	}
	slices.Sort(got)
	return got
}

// TestNamesComeBackAsTheyWereStored fetches every study's name by C-FIND and
// holds it against the table.
func TestNamesComeBackAsTheyWereStored(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	keys := s.Device("WS1", harness.All...)
	dir := t.TempDir()
	n := studies(t, dir)
	s.Must("send", s.Peer(), "--as", keys, dir)
	start := time.Now()
	for _, row := range rows(t, "studies.tsv") {
		out := s.Must("find", s.Peer(), "--as", keys, "-o", "json", "StudyInstanceUID="+n.uid[row[0]], "ReferringPhysicianName", "NumberOfStudyRelatedSeries", "InstanceAvailability", "RetrieveAETitle")
		ds, err := dicom.UnmarshalJSON([]byte(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(out), "["), "]")), dicom.JSONOptions{})
		if err != nil {
			t.Fatalf("%s: %v", row[0], err)
		}
		for k, want := range map[dicom.Tag]string{
			tag.PatientName: row[2], tag.ReferringPhysicianName: row[10], tag.PatientID: row[3],
			tag.NumberOfStudyRelatedSeries: fmt.Sprint(strings.Count(row[11], "+") + 1),
			tag.InstanceAvailability:       "ONLINE", tag.RetrieveAETitle: harness.AETitle,
		} {
			if got := ds.Text(k); got != want {
				t.Errorf("%s: %s is %q, want %q", row[0], k.Keyword(), got, want)
			}
		}
	}
	t.Logf("%s for all", time.Since(start))
}
