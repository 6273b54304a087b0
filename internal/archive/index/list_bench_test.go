package index

import (
	"context"
	"fmt"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/db"
)

// seed inserts the rows of n studies of one instance each, without files.
func seed(b *testing.B, d *db.DB, n int) {
	b.Helper()
	modalities := []string{"CT", "MR", "US", "CR", "DX"}
	for from := 0; from < n; from += 2000 {
		err := d.Write(b.Context(), func(tx *db.Tx) error {
			for i := from; i < min(from+2000, n); i++ {
				k := (i * 7919) % n
				s := said{
					study: i, series: 1, instance: 1, patientID: fmt.Sprintf("ID%d", k/2), name: fmt.Sprintf("Family%d^Given%d", k%50000, k%97),
					date:      fmt.Sprintf("20%02d%02d%02d", 10+k%16, 1+k%12, 1+k%28),
					accession: fmt.Sprintf("ACC%d", k), description: fmt.Sprintf("%s region%d", []string{"Head", "Chest", "Knee"}[k%3], k%1000), modality: modalities[i%5],
				}
				if i%5000 == 4999 {
					s.modality = "XA"
				}
				e := s.entry(b)
				e.Received = time.Unix(int64(1_700_000_000+i), 0)
				e.Source.AETitle = fmt.Sprintf("MODALITY%d", k%40)
				e.Ref.Size = int64(1000 + k)
				e.Ref.SOPClassUID = uid.CTImageStorage
				if _, err := Insert(b.Context(), tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList shows what a list of studies costs as the archive grows: its first and
// its last page in every order, and what is looked for.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{20_000, 200_000} {
		b.Run(fmt.Sprintf("studies=%d", n), func(b *testing.B) {
			d := openDB(b)
			seed(b, d, n)
			s := searchOf(d)
			ask := func(b *testing.B, q ListQuery) {
				b.Helper()
				q.Scope = Everything()
				var p StudyPage
				var err error
				for b.Loop() {
					if p, err = s.List(b.Context(), q); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(p.Studies)), "studies")
				b.ReportMetric(float64(p.Total), "total")
			}
			for _, word := range StudySorts() {
				sort := StudySort(word)
				b.Run("sort="+word+"/first", func(b *testing.B) { ask(b, ListQuery{Sort: sort, Uncounted: true}) })
				middle := middlePage(b, d, s, sort, n)
				b.Run("sort="+word+"/middle", func(b *testing.B) { ask(b, ListQuery{Sort: sort, Cursor: middle, Uncounted: true}) })
				// The last page but one, from behind: as many rows lie before it as there are.
				last := lastPage(b, s, sort)
				b.Run("sort="+word+"/last", func(b *testing.B) { ask(b, ListQuery{Sort: sort, Cursor: last, Uncounted: true}) })
			}
			for _, c := range []struct {
				name string
				q    ListQuery
			}{
				{"total of all", ListQuery{}},
				{"200 of all", ListQuery{Limit: 200, Uncounted: true}},
				{"q=f", ListQuery{Filter: StudyFilter{Text: "f"}}},
				{"q=fam", ListQuery{Filter: StudyFilter{Text: "fam"}}},
				{"q=family12", ListQuery{Filter: StudyFilter{Text: "family12"}}},
				{"q=family123", ListQuery{Filter: StudyFilter{Text: "family123"}}},
				{"q=given96 head", ListQuery{Filter: StudyFilter{Text: "given96 head"}}},
				{"q=acc1234", ListQuery{Filter: StudyFilter{Text: "acc1234"}}},
				{"q=nobody", ListQuery{Filter: StudyFilter{Text: "nobody"}}},
				{"q=family region99 by name", ListQuery{Sort: "name", Filter: StudyFilter{Text: "family region99"}}},
				{"name=given1 family1", ListQuery{Filter: StudyFilter{Name: "given1 family1"}}},
				{"modality=CT", ListQuery{Filter: StudyFilter{Modalities: []string{"CT"}}}},
				{"modality=CT,XA by bytes", ListQuery{Sort: "bytes", Filter: StudyFilter{Modalities: []string{"CT", "XA"}}}},
				{"modality=XA", ListQuery{Filter: StudyFilter{Modalities: []string{"XA"}}}},
				{"a year", ListQuery{Filter: StudyFilter{From: "20150101", To: "20151231"}}},
				{"a year by name", ListQuery{Sort: "name", Filter: StudyFilter{From: "20150101", To: "20151231"}}},
				{"a year of CT by name", ListQuery{Sort: "name", Filter: StudyFilter{From: "20150101", To: "20151231", Modalities: []string{"CT"}}}},
				{"source by received", ListQuery{Sort: "-received", Filter: StudyFilter{Source: "MODALITY7"}}},
			} {
				b.Run(c.name, func(b *testing.B) { ask(b, c.q) })
			}
		})
	}
}

// middlePage is the cursor behind half of the studies.
func middlePage(b *testing.B, d *db.DB, s *Search, sort StudySort, n int) Cursor {
	b.Helper()
	l, err := s.newListing(ListQuery{Sort: sort, Scope: Everything()})
	if err != nil {
		b.Fatal(err)
	}
	var at []spot
	err = d.Read(b.Context(), func(tx *db.Tx) error {
		query, args := l.placeAt(portion{}, int64(n/2))
		at, err = db.All(b.Context(), tx, l.order.scanPlace, query, args...)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}

	return l.order.cursor(&at[0], false)
}

// lastPage is the cursor of the page before the last, which is reached from the other end.
func lastPage(b *testing.B, s *Search, sort StudySort) Cursor {
	b.Helper()
	back, err := s.List(context.Background(), ListQuery{Sort: "-" + sort, Scope: Everything(), Limit: 60, Uncounted: true})
	if err != nil {
		b.Fatal(err)
	}
	o, err := sort.order()
	if err != nil {
		b.Fatal(err)
	}
	_, _, err = o.parse(back.Next)
	if err == nil {
		b.Fatal("a cursor of another order was taken")
	}
	down, err := ("-" + sort).order()
	if err != nil {
		b.Fatal(err)
	}
	at, _, err := down.parse(back.Next)
	if err != nil {
		b.Fatal(err)
	}

	return o.cursor(at, false)
}

func searchOf(d *db.DB) *Search {
	return &Search{Read: d.Read, DB: d, Keys: 100, Scanned: 100_000}
}
