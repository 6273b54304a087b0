package index

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/db"
)

func openDB(t testing.TB) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), db.Options{Path: filepath.Join(t.TempDir(), "index.db"), Scratch: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })

	return d
}

// said is what an instance says; an empty text leaves the attribute out.
type said struct {
	study, series, instance             int
	patientID, issuer, name, sex        string
	date, accession, description, terms string
	modality, class, seriesDescription  string
}

func (s said) uid() string { return fmt.Sprintf("1.2.%d.%d.%d", s.study, s.series, s.instance) }

func (s said) dataSet(t fataler) *dicom.DataSet {
	ds := dicom.NewDataSet()
	for _, e := range []struct {
		t     dicom.Tag
		value string
	}{
		{tag.SpecificCharacterSet, s.terms}, {tag.PatientID, s.patientID}, {tag.IssuerOfPatientID, s.issuer}, {tag.PatientName, s.name},
		{tag.PatientSex, s.sex}, {tag.StudyDate, s.date}, {tag.AccessionNumber, s.accession}, {tag.StudyDescription, s.description},
		{tag.Modality, s.modality}, {tag.SeriesDescription, s.seriesDescription},
	} {
		if e.value == "" {
			continue
		}
		if err := ds.SetText(e.t, e.value); err != nil {
			t.Fatalf("%v: %v", e.t, err)
		}
	}

	return ds
}

type fataler interface{ Fatalf(string, ...any) }

// entry has a time that depends on the instance and not on when it is inserted.
func (s said) entry(t fataler) *Entry {
	class := s.class
	if class == "" {
		class = uid.CTImageStorage
	}
	ref := Ref{
		SOPClassUID: class, SOPInstanceUID: s.uid(), StudyUID: fmt.Sprintf("1.2.%d", s.study), SeriesUID: fmt.Sprintf("1.2.%d.%d", s.study, s.series),
		TransferSyntaxUID: uid.ExplicitVRLittleEndian, Digest: hex.EncodeToString([]byte(s.uid())), Size: int64(100 + s.instance),
	}
	d, err := Describe(s.dataSet(t), ref, false)
	if err != nil {
		t.Fatalf("%v", err)
	}

	return &Entry{Ref: ref, Received: time.Unix(int64(s.study*10000+s.series*100+s.instance), 0), Description: d}
}

func insert(t fataler, d *db.DB, list ...said) {
	for _, s := range list {
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			out, err := Insert(context.Background(), tx, s.entry(t))
			if err == nil && out != (Outcome{}) {
				t.Fatalf("%s was not inserted: %+v", s.uid(), out)
			}
			return err
		})
		if err != nil {
			t.Fatalf("insert: %v", err)
		}
	}
}

func remove(t fataler, d *db.DB, list ...said) {
	for _, s := range list {
		err := d.Write(context.Background(), func(tx *db.Tx) error { return Remove(context.Background(), tx, s.uid()) })
		if err != nil {
			t.Fatalf("remove: %v", err)
		}
	}
}

func removeStudy(t fataler, d *db.DB, study int) {
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		return RemoveStudy(context.Background(), tx, fmt.Sprintf("1.2.%d", study))
	})
	if err != nil {
		t.Fatalf("remove study: %v", err)
	}
}

func clearRows(t fataler, d *db.DB) {
	if err := d.Write(context.Background(), func(tx *db.Tx) error { return Clear(context.Background(), tx) }); err != nil {
		t.Fatalf("clear: %v", err)
	}
}

// state is every row of the index by names instead of numbers.
func state(t fataler, d *db.DB) []string {
	var out []string
	for _, query := range []string{
		`SELECT 'patient', p.identity, p.patient_id, p.issuer, p.birth_date, p.sex, p.studies, p.series, p.instances, HEX(d.data) FROM patient p LEFT JOIN patient_data d ON d.id = p.id`,
		`SELECT 'patient value', p.identity, v.kind, v.value, v.uses FROM patient_value v LEFT JOIN patient p ON p.id = v.patient`,
		`SELECT 'study', s.uid, p.identity, s.patient_id, s.issuer, s.sex, s.study_date, s.accession, s.description, s.modalities, s.sop_classes,
			s.series, s.instances, s.size, s.received, s.updated, HEX(d.data) FROM study s LEFT JOIN patient p ON p.id = s.patient LEFT JOIN study_data d ON d.id = s.id`,
		`SELECT 'study value', s.uid, v.kind, v.value, v.study_date, v.uses FROM study_value v LEFT JOIN study s ON s.id = v.study`,
		`SELECT 'series', e.uid, s.uid, e.modality, e.number, e.description, e.instances, e.updated, HEX(d.data) FROM series e LEFT JOIN study s ON s.id = e.study LEFT JOIN series_data d ON d.id = e.id`,
		`SELECT 'instance', i.uid, e.uid, HEX(d.digest) FROM instance i LEFT JOIN series e ON e.id = i.series LEFT JOIN description d ON d.id = i.description`,
		`SELECT 'description', d.level, HEX(d.digest), d.rank, d.uses, COALESCE(HEX(a.digest), ''), CASE d.level WHEN 1 THEN (SELECT identity FROM patient WHERE id = d.owner)
			WHEN 2 THEN (SELECT uid FROM study WHERE id = d.owner) ELSE (SELECT uid FROM series WHERE id = d.owner) END FROM description d LEFT JOIN description a ON a.id = d.above`,
	} {
		out = append(out, lines(t, d, query)...)
	}
	slices.Sort(out)

	return out
}

func lines(t fataler, d *db.DB, query string, args ...any) (out []string) {
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		rows, err := tx.Query(context.Background(), query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		for rows.Next() {
			if err := rows.Scan(cells...); err != nil {
				return err
			}
			var b strings.Builder
			for _, c := range cells {
				fmt.Fprintf(&b, "%v|", *c.(*any))
			}
			out = append(out, b.String())
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}

	return out
}

// The rows say the same of the same instances, in whatever order they came, and
// whatever was there before and is there no more.
func TestIndexIsAFunctionOfTheSetOfInstances(t *testing.T) {
	t.Parallel()
	plain, detour := openDB(t), openDB(t)
	rapid.Check(t, func(rt *rapid.T) {
		clearRows(rt, plain)
		clearRows(rt, detour)
		all := rapid.SliceOfNDistinct(rapid.Custom(drawSaid), 1, 14, said.uid).Draw(rt, "instances")
		gone := rapid.SliceOfDistinct(rapid.IntRange(0, len(all)-1), func(i int) int { return i }).Draw(rt, "removed")
		var left, removed []said
		for i, s := range all {
			if slices.Contains(gone, i) {
				removed = append(removed, s)
			} else {
				left = append(left, s)
			}
		}

		insert(rt, plain, rapid.Permutation(left).Draw(rt, "plain order")...)

		insert(rt, detour, rapid.Permutation(all).Draw(rt, "order")...)
		remove(rt, detour, rapid.Permutation(removed).Draw(rt, "order of removal")...)

		if diff := cmp.Diff(state(rt, plain), state(rt, detour)); diff != "" {
			rt.Fatalf("the same instances by another way (-plain +detour):\n%s", diff)
		}
		studies := map[int]bool{}
		for _, s := range left {
			studies[s.study] = true
		}
		for study := range studies {
			removeStudy(rt, detour, study)
			delete(studies, study)
			break
		}
		for _, s := range left {
			if studies[s.study] {
				remove(rt, detour, s)
			}
		}
		if rest := state(rt, detour); len(rest) > 0 {
			rt.Fatalf("an index of nothing has rows: %q", rest)
		}
	})
}

// drawSaid draws instances of two patients with one ID, of which the issuer is
// known to some, with attributes that some leave out and others spell in their
// own way.
func drawSaid(t *rapid.T) said {
	s := said{
		study:  rapid.IntRange(1, 3).Draw(t, "study"),
		series: rapid.IntRange(1, 2).Draw(t, "series"), instance: rapid.IntRange(1, 4).Draw(t, "instance"),
	}
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	s.patientID = "4711"
	s.issuer = pick("issuer", "", []string{"HOSP_A", "HOSP_A", "HOSP_B"}[s.study-1])
	s.sex = pick("sex", "", "F", "O")
	s.date = pick("date", "", "20260102", "20260103")
	s.accession = pick("accession", "", "A1", "A2")
	s.description = pick("description", "", "one", "two")
	s.modality = pick("modality", "", "CT", "MR")
	s.class = pick("class", uid.CTImageStorage, uid.MRImageStorage)
	s.seriesDescription = pick("series description", "", "ax", "cor")
	s.terms = pick("character set", "", "ISO_IR 100", "ISO_IR 144", "ISO_IR 192")
	switch s.terms {
	case "ISO_IR 100":
		s.name = pick("name", "", "ZZPHI^Jörg", "ZZPHI^J")
	case "ISO_IR 144":
		s.name = pick("name", "", "ZZPHI^Люк")
	default:
		s.name = pick("name", "", "ZZPHI^J")
	}

	return s
}

// What an early instance leaves out is found and shown once a later one says it.
func TestLaterInstancesFillWhatTheFirstLeavesOut(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, said{study: 1, series: 1, instance: 1, patientID: "1"},
		said{study: 1, series: 1, instance: 2, patientID: "1", name: "ZZPHI^A", date: "20260102", accession: "ACC", sex: "F"})

	got := lines(t, d, `SELECT s.study_date, s.accession, s.sex, p.sex FROM study s JOIN patient p ON p.id = s.patient`)
	if want := []string{"20260102|ACC|F|F|"}; !slices.Equal(got, want) {
		t.Errorf("row of the study is %q, want %q", got, want)
	}
	if got := lines(t, d, `SELECT study_date FROM study_value WHERE kind = 'name' AND value = 'zzphi^a'`); !slices.Equal(got, []string{"20260102|"}) {
		t.Errorf("the name leads to %q", got)
	}
}

// A patient is found under every spelling that is stored, and no longer under
// one whose last image is gone.
func TestEverySpellingOfANameIsKeptWhileItIsStored(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	before := said{study: 1, series: 1, instance: 1, patientID: "1", name: "ZZPHI^MAIDEN", date: "20250101"}
	after := said{study: 2, series: 1, instance: 1, patientID: "1", name: "ZZPHI^MARRIED", date: "20260101"}
	insert(t, d, before, after)
	names := `SELECT value FROM patient_value WHERE kind = 'name' ORDER BY value`
	if got := lines(t, d, names); !slices.Equal(got, []string{"zzphi^maiden|", "zzphi^married|"}) {
		t.Errorf("names are %q", got)
	}

	remove(t, d, before)
	if got := lines(t, d, names); !slices.Equal(got, []string{"zzphi^married|"}) {
		t.Errorf("names are %q", got)
	}
}

// Numbers of rows are never used again: what names one means the same for ever.
func TestNumbersOfRowsAreNeverUsedAgain(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	s := said{study: 1, series: 1, instance: 1, patientID: "1"}
	insert(t, d, s)
	numbers := `SELECT p.id, s.id, e.id, i.id FROM patient p, study s, series e, instance i`
	before := lines(t, d, numbers)
	remove(t, d, s)
	s.study = 2
	insert(t, d, s)
	if after := lines(t, d, numbers); before[0] == after[0] || after[0] != "2|2|2|2|" {
		t.Errorf("numbers were %q, are %q", before, after)
	}
}

// Removing one image of many changes as many rows as removing one of few: no
// other image is read or written again.
func TestRemovingOneOfManyCostsWhatOneCosts(t *testing.T) {
	t.Parallel()
	cost := func(n int) int64 {
		d := openDB(t)
		for i := range n {
			insert(t, d, said{study: 1, series: 1, instance: i + 1, patientID: "1", name: "ZZPHI^A", modality: "CT"})
		}

		var before, after int64
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := tx.QueryRow(t.Context(), `SELECT total_changes()`).Scan(&before); err != nil {
				return err
			}
			if err := Remove(t.Context(), tx, said{study: 1, series: 1, instance: n / 2}.uid()); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), `SELECT total_changes()`).Scan(&after)
		})
		if err != nil {
			t.Fatal(err)
		}

		return after - before
	}

	few, many := cost(4), cost(400)
	if few != many || few > 8 {
		t.Errorf("%d rows changed for one of 4 images, %d for one of 400", few, many)
	}
}
