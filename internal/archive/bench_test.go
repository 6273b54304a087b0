package archive

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/archive/index"
	"collimator/internal/db"
)

// BenchmarkIngest stores images of 526 kB, durably, from one and from four
// associations. benchDir places the archive; the default is the temporary
// directory.
func BenchmarkIngest(b *testing.B) {
	const benchDir = "COLLIMATOR_BENCH_DIR"
	for _, n := range []int{1, 4} {
		b.Run(fmt.Sprintf("associations=%d", n), func(b *testing.B) {
			dir, err := os.MkdirTemp(os.Getenv(benchDir), "ingest")
			if err != nil {
				b.Fatal(err)
			}
			defer os.RemoveAll(dir)
			a, err := openIn(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer a.close()
			ds := image(b, 1, 1, 1)
			ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, bytes.Repeat([]byte{1, 2, 3, 4}, 512*512/2)))
			text(b, ds, tag.SOPInstanceUID, "1.2.3.100000000")
			data := encoded(b, ds, uid.ExplicitVRLittleEndian)
			at := bytes.Index(data, []byte("1.2.3.100000000"))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range n {
				wg.Go(func() {
					mine := bytes.Clone(data)
					for {
						i := next.Add(1)
						if i > int64(b.N) {
							return
						}
						copy(mine[at:], fmt.Sprintf("1.2.3.%d", 100000000+i))
						if _, err := a.Ingest(context.Background(), Incoming{TransferSyntaxUID: uid.ExplicitVRLittleEndian, SOPClassUID: uid.CTImageStorage,
							SOPInstanceUID: fmt.Sprintf("1.2.3.%d", 100000000+i), Data: bytes.NewReader(mine)}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "instances/s")
		})
	}
}

// fill inserts the rows of n studies of one series of two instances each,
// without files.
func fill(b *testing.B, a *opened, n int) {
	b.Helper()
	modalities := []string{"CT", "MR", "US", "CR", "DX"}
	var header []byte
	for from := 0; from < n; from += 1000 {
		err := a.db.Write(b.Context(), func(tx *db.Tx) error {
			for i := from; i < min(from+1000, n); i++ {
				modality := modalities[i%len(modalities)]
				if i%5000 == 4999 {
					modality = "XA"
				}
				for k := range 2 {
					ds := image(b, i, 1, k, tag.Modality, modality, tag.PatientName, fmt.Sprintf("Family%d^Given%d", i%50000, i%97),
						tag.StudyDate, fmt.Sprintf("20%02d%02d%02d", 10+i%16, 1+i%12, 1+i%28), tag.PatientID, fmt.Sprintf("ID%d", i/2))
					p := &pending{time: a.now(), ref: InstanceRef{SOPClassUID: uid.CTImageStorage, SOPInstanceUID: ds.Text(tag.SOPInstanceUID),
						StudyUID: ds.Text(tag.StudyInstanceUID), SeriesUID: ds.Text(tag.SeriesInstanceUID), TransferSyntaxUID: uid.ExplicitVRLittleEndian,
						Digest: fmt.Sprintf("%064x", i*2+k), Size: 526_000}}
					var err error
					if p.description, err = index.Describe(ds, p.ref, false); err != nil {
						return err
					}
					if header == nil {
						ts, _ := dicom.LookupTransferSyntax(uid.ExplicitVRLittleEndian)
						header, _ = packHeader(ds, ts, int64(len(encoded(b, ds, uid.ExplicitVRLittleEndian))))
					}
					p.header = header
					if _, err := index.Insert(b.Context(), tx, p.entry()); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFind shows what queries cost as the archive grows.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{20_000, 100_000} {
		b.Run(fmt.Sprintf("studies=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			a, err := openIn(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer a.close()
			fill(b, a, n)
			if info, err := os.Stat(filepath.Join(dir, "collimator.db")); err == nil {
				b.Logf("database of %d studies: %d MB", n, info.Size()>>20)
			}
			findBenchmarks(b, a, n)
		})
	}
}

func findBenchmarks(b *testing.B, a *opened, n int) {
	answer := []any{tag.StudyInstanceUID, "", tag.PatientName, "", tag.PatientID, "", tag.StudyDate, "", tag.StudyTime, "", tag.StudyDescription, "",
		tag.ModalitiesInStudy, "", tag.NumberOfStudyRelatedInstances, ""}
	middle := fmt.Sprint(n / 2)
	_, deep, err := a.FindPage(b.Context(), Query{Scope: Everything(), Level: StudyLevel, Keys: keys(b, tag.StudyInstanceUID, ""), Limit: n / 2})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		q     Query
		pairs []any
	}{
		{"study UID", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.StudyInstanceUID, "1.2.3." + middle}},
		{"patient ID", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.PatientID, "ID" + fmt.Sprint(n/4)}},
		{"accession", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.AccessionNumber, "ACC" + middle}},
		{"name prefix", Query{Scope: Everything(), Level: StudyLevel}, []any{tag.PatientName, "FAMILY123^*"}},
		{"words", Query{Scope: Everything(), Level: StudyLevel, Fuzzy: true}, []any{tag.PatientName, "family123 given26"}},
		{"newest 25", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, nil},
		{"25 of a date range", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, []any{tag.StudyDate, "20150101-20161231"}},
		{"25 of a frequent modality", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, []any{tag.ModalitiesInStudy, "CT"}},
		{"25 of a rare modality", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, []any{tag.ModalitiesInStudy, "XA"}},
		{"no such modality", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, []any{tag.ModalitiesInStudy, "OT"}},
		{"modality and date", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, []any{tag.ModalitiesInStudy, "MR", tag.StudyDate, "20200101-20201231"}},
		{"25 behind a cursor in the middle", Query{Scope: Everything(), Level: StudyLevel, Limit: 25, After: deep}, nil},
		{"25 behind an offset in the middle", Query{Scope: Everything(), Level: StudyLevel, Limit: 25, Offset: n / 2}, nil},
		{"100 of all", Query{Scope: Everything(), Level: StudyLevel, Limit: 100}, nil},
		{"series of a study", Query{Scope: Everything(), Level: SeriesLevel}, []any{tag.StudyInstanceUID, "1.2.3." + middle, tag.SeriesInstanceUID, "", tag.SeriesNumber, ""}},
		{"instances of a series", Query{Scope: Everything(), Level: ImageLevel}, []any{tag.StudyInstanceUID, "1.2.3." + middle, tag.SeriesInstanceUID, "1.2.3." + middle + ".1", tag.SOPInstanceUID, "", tag.InstanceNumber, ""}},
		{"part of a name, scans", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, []any{tag.PatientName, "*ily12345^*"}},
		{"description, scans", Query{Scope: Everything(), Level: StudyLevel, Limit: 25}, []any{tag.StudyDescription, "*nobody*"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			all := answer
			if c.q.Level != StudyLevel {
				all = nil
			}
			c.q.Keys = keys(b, append(append([]any{}, all...), c.pairs...)...)
			found := 0
			for b.Loop() {
				found = len(findAll(b, a, c.q))
			}
			b.ReportMetric(float64(found), "matches")
		})
	}
}

// BenchmarkHeaders reads the metadata of a series of 100 instances.
func BenchmarkHeaders(b *testing.B) {
	a := openTest(b)
	size := 0
	for i := range 100 {
		p := store(b, a, image(b, 1, 1, i, tag.ImageComments, fmt.Sprintf("comment %d", i)))
		if err := a.db.Read(b.Context(), func(tx *db.Tx) error {
			var n int
			err := tx.QueryRow(b.Context(), `SELECT LENGTH(d.data) FROM instance_data d JOIN instance i ON i.id = d.id WHERE i.uid = ?1`, p.Instance.SOPInstanceUID).Scan(&n)
			size += n
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range a.Headers(b.Context(), RetrieveQuery{Scope: Everything(), SeriesUIDs: []string{"1.2.3.1.1"}}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 100 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(size)/100, "stored-B/header")
}
