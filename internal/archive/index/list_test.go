package index

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"collimator/internal/db"
)

// some are studies whose columns have many values in common.
func some(n int) (list []said) {
	for i := range n {
		list = append(list, said{
			study: i, series: 1, instance: 1 + i%3, patientID: fmt.Sprintf("ID%d", i/3), name: fmt.Sprintf("Family%d^Given%d", i%7, i%5),
			date: fmt.Sprintf("2024%02d%02d", 1+i%3, 1+i%4), accession: fmt.Sprintf("ACC%d", i%11), modality: []string{"CT", "MR", "US"}[i%3],
			description: []string{"Head", "Knie links", ""}[i%3],
		})
	}

	return list
}

func listPage(t *testing.T, s *Search, q ListQuery) StudyPage {
	t.Helper()
	p, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}

	return p
}

func uids(p StudyPage) (list []string) {
	for _, x := range p.Studies {
		list = append(list, x.UID)
	}

	return list
}

// allPages reads every page behind a query.
func allPages(t *testing.T, s *Search, q ListQuery) (list []string, last StudyPage) {
	t.Helper()
	for range 1000 {
		last = listPage(t, s, q)
		list = append(list, uids(last)...)
		if last.Next == "" {
			return list, last
		}
		q.Cursor = last.Next
	}
	t.Fatal("the pages do not end")

	return nil, last
}

func TestEveryStudyStandsOnOnePageInEveryOrder(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(50)...)
	s := searchOf(d)

	for _, word := range StudySorts() {
		for _, sort := range []StudySort{StudySort(word), StudySort("-" + word)} {
			q := ListQuery{Sort: sort, Limit: 7, Scope: Everything()}
			forwards, last := allPages(t, s, q)
			if len(slices.Compact(slices.Sorted(slices.Values(forwards)))) != 50 || len(forwards) != 50 {
				t.Errorf("%s: %d studies", sort, len(forwards))
			}
			whole := q
			whole.Limit = 200
			if one := uids(listPage(t, s, whole)); !slices.Equal(one, forwards) {
				t.Errorf("%s: pages and the whole differ:\n%v\n%v", sort, forwards, one)
			}

			backwards := uids(last)
			for last.Previous != "" {
				q.Cursor = last.Previous
				last = listPage(t, s, q)
				backwards = append(uids(last), backwards...)
			}
			if !slices.Equal(forwards, backwards) {
				t.Errorf("%s: forwards and backwards differ:\n%v\n%v", sort, forwards, backwards)
			}
			if last.Total != 50 || last.AtLeast {
				t.Errorf("%s: total %d", sort, last.Total)
			}
		}
	}
}

// What comes in behind the place of the cursor is seen, what comes in before is not, and nothing is seen twice.
func TestPagesGoOnWhileStudiesComeIn(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(30)...)
	s := searchOf(d)

	q := ListQuery{Sort: "name", Limit: 10, Scope: Everything()}
	first := listPage(t, s, q)
	insert(t, d, said{study: 900, series: 1, instance: 1, name: "Aaa^First"}, said{study: 901, series: 1, instance: 1, name: "Zzz^Last"})
	remove(t, d, some(30)[29])
	q.Cursor = first.Next
	rest, _ := allPages(t, s, q)

	seen := append(uids(first), rest...)
	if slices.Contains(seen, "1.2.900") || !slices.Contains(seen, "1.2.901") {
		t.Errorf("seen: %v", seen)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(seen)))); n != len(seen) {
		t.Errorf("%d of %d are different", n, len(seen))
	}
}

func TestStudiesAreFoundByWhatSomebodyTypes(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d,
		said{study: 1, series: 1, instance: 1, patientID: "PX-17", name: "Müller^Änne^^Dr.", accession: "A/2024.7", description: "Schädel nativ", date: "20240105", modality: "CT", terms: "ISO_IR 192"},
		said{study: 2, series: 1, instance: 1, patientID: "4711", name: "Yamada^Tarou=山田^太郎=やまだ^たろう", accession: "B8", description: "Knie", date: "20240106", modality: "MR", terms: "ISO_IR 192"},
		said{study: 3, series: 1, instance: 1, patientID: "4712", name: "O'Neill-Smith^Zoe", accession: "B9", date: "20240107", modality: "SR"},
	)
	s := searchOf(d)

	for _, c := range []struct {
		f    StudyFilter
		want string
	}{
		{StudyFilter{Name: "anne MULL"}, "1"}, {StudyFilter{Name: "mull,anne"}, "1"}, {StudyFilter{Name: "ller"}, ""},
		{StudyFilter{Name: "山田"}, "2"}, {StudyFilter{Name: "やま"}, "2"}, {StudyFilter{Name: "smith o'neill"}, "3"},
		{StudyFilter{Text: "px-1"}, "1"}, {StudyFilter{Text: "a/2024"}, "1"}, {StudyFilter{Text: "schad mül"}, "1"}, {StudyFilter{Text: "471"}, "23"},
		{StudyFilter{Text: "b9 knie"}, ""}, {StudyFilter{Text: "b"}, "23"}, {StudyFilter{Text: "---"}, ""}, {StudyFilter{Name: "---"}, ""},
		{StudyFilter{Description: "KNIE"}, "2"}, {StudyFilter{Description: "nat scha"}, "1"},
		{StudyFilter{PatientID: "4711"}, "2"}, {StudyFilter{PatientID: "471?"}, "23"}, {StudyFilter{Accession: "B*"}, "23"},
		{StudyFilter{From: "20240106"}, "23"}, {StudyFilter{To: "20240106"}, "12"}, {StudyFilter{From: "20240106", To: "20240106"}, "2"},
		{StudyFilter{Modalities: []string{"MR", "SR"}}, "23"}, {StudyFilter{Modalities: []string{"CT"}, Text: "b"}, ""},
		{StudyFilter{UIDs: []string{"1.2.1", "1.2.9"}}, "1"}, {StudyFilter{Label: "x"}, ""}, {StudyFilter{Status: "x"}, ""}, {StudyFilter{Source: "x"}, ""},
	} {
		p := listPage(t, s, ListQuery{Filter: c.f, Sort: "date", Scope: Everything()})
		if got := strings.ReplaceAll(strings.Join(uids(p), ""), "1.2.", ""); got != c.want || p.Total != int64(len(c.want)) {
			t.Errorf("%+v: %q and total %d, want %q", c.f, got, p.Total, c.want)
		}
	}
}

// A walk in the order of the list, which broad filters take, finds what looking them up finds.
func TestWalkingFindsWhatLookingUpFinds(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(60)...)
	s := searchOf(d)

	for _, f := range []StudyFilter{
		{}, {Text: "fam"}, {Text: "given1 head"}, {Modalities: []string{"CT", "MR"}}, {From: "20240201", To: "20240302"}, {Name: "family1"}, {PatientID: "ID*"},
	} {
		for _, sort := range []StudySort{"date", "-name", "patientID", "-modality"} {
			for _, back := range []bool{false, true} {
				q := ListQuery{Filter: f, Sort: sort, Limit: 9, Scope: Everything()}
				if back {
					q.Cursor = listPage(t, s, q).Next
					if q.Cursor == "" {
						continue
					}
				}
				l, err := s.newListing(q)
				if err != nil {
					t.Fatal(err)
				}
				err = d.Read(t.Context(), func(tx *db.Tx) error {
					if err := l.choose(t.Context(), tx); err != nil || l.driver == nil {
						return err
					}
					few, err := l.page(t.Context(), tx)
					if err != nil {
						return err
					}
					l.few = false
					many, err := l.page(t.Context(), tx)
					if err != nil {
						return err
					}
					if !slices.Equal(uids(few), uids(many)) || few.Next != many.Next || few.Previous != many.Previous {
						t.Errorf("%+v by %s: looked up %v, walked %v", f, sort, uids(few), uids(many))
					}
					n, more, err := l.count(t.Context(), tx)
					if all, _ := allPages(t, s, ListQuery{Filter: f, Limit: 200, Scope: Everything()}); more || n != int64(len(all)) {
						t.Errorf("%+v: counted %d of %d", f, n, len(all))
					}

					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// The parts of a list between two places are what a comparison of tuples says.
func TestPartsOfAListAreWhatLiesBetweenItsPlaces(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(40)...)
	s := searchOf(d)

	for _, word := range StudySorts() {
		for _, sort := range []StudySort{StudySort(word), StudySort("-" + word)} {
			l, err := s.newListing(ListQuery{Sort: sort, Scope: Everything()})
			if err != nil {
				t.Fatal(err)
			}
			err = d.Read(t.Context(), func(tx *db.Tx) error {
				query, args := l.walkPage(portion{}, 1000)
				rows, err := db.All(t.Context(), tx, l.order.scan, query, args...)
				if err != nil {
					return err
				}
				for _, ends := range [][2]int{{0, 0}, {0, 1}, {3, 17}, {5, 39}, {10, 11}} {
					var got, want []string
					for _, part := range l.order.between(&rows[ends[0]].place, &rows[ends[1]].place, false) {
						query, args := l.walkPage(part, 1000)
						some, err := db.All(t.Context(), tx, l.order.scan, query, args...)
						if err != nil {
							return err
						}
						for _, r := range some {
							got = append(got, r.study.UID)
						}
					}
					for _, r := range rows[ends[0]+1 : ends[1]+1] {
						want = append(want, r.study.UID)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s %v: %v, want %v", sort, ends, got, want)
					}
				}

				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAListShowsNoMoreThanTheScope(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(20)...)
	s := searchOf(d)

	scope := Scope{StudyUIDs: []string{"1.2.3", "1.2.4", "1.2.77"}}
	p := listPage(t, s, ListQuery{Sort: "patientID", Scope: scope})
	if got := uids(p); !slices.Equal(got, []string{"1.2.3", "1.2.4"}) || p.Total != 2 {
		t.Errorf("got %v of %d", got, p.Total)
	}
	if p := listPage(t, s, ListQuery{}); len(p.Studies) != 0 || p.Total != 0 {
		t.Errorf("the zero scope sees %v", uids(p))
	}
	if p := listPage(t, s, ListQuery{Filter: StudyFilter{Text: "family"}, Scope: scope}); p.Total != 2 {
		t.Errorf("total %d tells of others", p.Total)
	}

	one, err := s.Study(t.Context(), "1.2.3", scope)
	if err != nil || len(one.Priors) != 1 || one.Priors[0].UID != "1.2.4" {
		t.Errorf("%v, %v", err, one.Priors) // 1.2.5 is the same patient's
	}
	if _, err := s.Study(t.Context(), "1.2.5", scope); err == nil {
		t.Error("a study outside of the scope is shown")
	}
	if _, _, err := s.Instances(t.Context(), InstanceQuery{StudyUID: "1.2.5", Limit: 9, Scope: scope}); err == nil {
		t.Error("instances outside of the scope are shown")
	}
}

// Every order is read off an index, from its beginning and from a place.
func TestEveryOrderIsReadOffAnIndex(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(30)...)
	s := searchOf(d)

	for _, word := range StudySorts() {
		for _, sort := range []StudySort{StudySort(word), StudySort("-" + word)} {
			l, err := s.newListing(ListQuery{Sort: sort, Scope: Everything()})
			if err != nil {
				t.Fatal(err)
			}
			first := listPage(t, s, ListQuery{Sort: sort, Limit: 10, Scope: Everything()})
			at, _, err := l.order.parse(first.Next)
			if err != nil {
				t.Fatal(err)
			}
			for i, part := range append([]portion{{}}, l.order.between(at, nil, false)...) {
				query, args := l.walkPage(part, 10)
				plan := explain(t, d, query, args)
				if strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(plan, "study_by") && !strings.Contains(plan, "study_list") {
					t.Errorf("%s, part %d: %s", sort, i, plan)
				}
				if i > 0 && !strings.Contains(plan, "SEARCH st USING") {
					t.Errorf("%s, part %d is looked for: %s", sort, i, plan)
				}
			}
		}
	}
}

func explain(t *testing.T, d *db.DB, query string, args []any) string {
	t.Helper()
	var lines []string
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		return db.Each(context.Background(), tx, func(scan db.Scan) error {
			var id, parent, x int64
			var detail string
			if err := scan(&id, &parent, &x, &detail); err != nil {
				return err
			}
			lines = append(lines, detail)
			return nil
		}, "EXPLAIN QUERY PLAN "+query, args...)
	})
	if err != nil {
		t.Fatal(err)
	}

	return strings.Join(lines, "; ")
}

func TestNamesOfEveryScriptStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	long := strings.Repeat("Ä", 32<<10)
	names := []string{"<script>alert(1)</script>^ZZPHI", "\u202eמִיכָאֵל^כֹּהֵן", "Zoe\u0301^Ame\u0301lie", "'; DROP TABLE study;--", long}
	for i, name := range names {
		insert(t, d, said{study: i, series: 1, instance: 1, patientID: fmt.Sprint(i), name: name, terms: "ISO_IR 192"})
	}
	s := searchOf(d)

	for _, sort := range []StudySort{"name", "-name"} {
		var got []string
		q := ListQuery{Sort: sort, Limit: 1, Scope: Everything()}
		for {
			p := listPage(t, s, q)
			if len(p.Next) > 1000 {
				t.Errorf("a cursor of %d bytes", len(p.Next))
			}
			got = append(got, p.Studies[0].PatientName.Alphabetic)
			if q.Cursor = p.Next; q.Cursor == "" {
				break
			}
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(names))
		if !slices.Equal(got, want) {
			t.Errorf("%s: other names", sort)
		}
	}
}

// Sources are those of the instances that are there, whatever came first.
func TestSourcesAreThoseOfTheInstances(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	from := func(i int, s Source) {
		t.Helper()
		e := said{study: 1, series: 1, instance: i, patientID: "1"}.entry(t)
		e.Source = s
		err := d.Write(t.Context(), func(tx *db.Tx) error { _, err := Insert(t.Context(), tx, e); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	s := searchOf(d)
	want := func(source string, names ...string) {
		t.Helper()
		p := listPage(t, s, ListQuery{Filter: StudyFilter{Source: source}, Scope: Everything()})
		if len(names) == 0 && len(p.Studies) == 0 {
			return
		}
		if len(p.Studies) != 1 || !slices.Equal(p.Studies[0].Sources, names) {
			t.Errorf("%s: %+v", source, p.Studies)
		}
	}

	from(1, Source{AETitle: "CT2", Principal: "ct"})
	from(2, Source{AETitle: "CT2", Principal: "ct"})
	from(3, Source{Principal: "ada"})
	want("ada", "CT2", "ada")
	want("ct")
	remove(t, d, said{study: 1, series: 1, instance: 1})
	want("CT2", "CT2", "ada")
	remove(t, d, said{study: 1, series: 1, instance: 2})
	want("CT2")
	want("ada", "ada")
}

func TestForeignCursorsAndFiltersAreRefused(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(5)...)
	s := searchOf(d)
	cursor := listPage(t, s, ListQuery{Sort: "name", Limit: 2, Scope: Everything()}).Next
	for _, q := range []ListQuery{
		{Sort: "size"}, {Sort: "--name"}, {Limit: 201}, {Cursor: "x"}, {Sort: "-name", Cursor: cursor}, {Sort: "date", Cursor: cursor},
		{Filter: StudyFilter{Name: strings.Repeat("a", 300)}}, {Filter: StudyFilter{Text: "a b c d e f g h i"}}, {Filter: StudyFilter{From: "2024"}},
		{Filter: StudyFilter{Text: "a\x00b"}},
	} {
		q.Scope = Everything()
		if _, err := s.List(t.Context(), q); err == nil {
			t.Errorf("%+v is taken", q)
		}
	}
}

func TestAListOfSomeStudiesIsNeverWalked(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	var granted []string
	list := some(drivenMost + 2)
	for i := range list {
		granted = append(granted, list[i].entry(t).Ref.StudyUID)
	}
	insert(t, d, list...)
	s := searchOf(d)

	// A walk ends its pages at studies that may not be seen, and their names stand in its cursors.
	l, err := s.newListing(ListQuery{Sort: "name", Scope: Scope{StudyUIDs: granted[1:]}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Read(t.Context(), func(tx *db.Tx) error { return l.choose(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	if !l.few || l.driver != l.scope {
		t.Error("the studies that may not be seen are walked, too")
	}
	if p := listPage(t, s, ListQuery{Sort: "name", Scope: Scope{StudyUIDs: granted[1:]}}); p.Total != drivenMost+1 || len(p.Studies) != 50 {
		t.Errorf("%d of %d studies", len(p.Studies), p.Total)
	}
}

func TestAFilterIsDividedIntoABoundedNumberOfWords(t *testing.T) {
	t.Parallel()
	s := searchOf(openDB(t))
	for text, works := range map[string]bool{
		"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17": true, "anna maria mueller-luedenscheidt": true,
		"a-b-c-d-e-f-g-h-i a-b-c-d-e-f-g-h-i": false,
	} {
		_, err := s.List(t.Context(), ListQuery{Filter: StudyFilter{Text: text}, Scope: Everything()})
		if (err == nil) != works {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestModalitiesWithoutAWordFindNothing(t *testing.T) {
	t.Parallel()
	d := openDB(t)
	insert(t, d, some(3)...)
	if p := listPage(t, searchOf(d), ListQuery{Filter: StudyFilter{Modalities: []string{"", ""}}, Scope: Everything()}); len(p.Studies) != 0 || p.Total != 0 {
		t.Errorf("%d of %d studies", len(p.Studies), p.Total)
	}
}
