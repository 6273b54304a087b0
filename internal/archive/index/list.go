package index

import (
	"context"
	"slices"
	"time"

	"collimator/internal/db"
	"collimator/internal/fault"
)

// ListQuery asks for a page of the studies that fulfil all of its filters; an empty filter
// lets every study through.
type ListQuery struct {
	Filter StudyFilter
	Sort   StudySort // empty: Date, the newest first
	Limit  int       // most studies of the page; 0 means 50
	Cursor Cursor    // Next or Previous of another page of the same query; empty: the first page
	Scope  Scope     // what the caller may see; the zero Scope is nothing
	// Uncounted leaves Total out.
	Uncounted bool
}

// StudyFilter is what studies are looked for by. Words match by their beginning, folded,
// in any order.
type StudyFilter struct {
	Name        string // words of the patient's name
	Description string // words of the description
	Text        string // words of name or description, or the beginning of a Patient ID or an Accession Number
	PatientID   string // whole, or a pattern with * and ?
	Accession   string // the same
	From, To    string // dates of the study, YYYYMMDD
	// ReceivedFrom and ReceivedTo are when the first instance came; the second is not in it.
	ReceivedFrom, ReceivedTo time.Time
	Modalities               []string // one of them
	Source                   string   // AE title, person or token
	Label, Status            string   // what people say of it
	UIDs                     []string // one of them
	patient                  int64    // its row
}

// StudyPage is a page of studies.
type StudyPage struct {
	Studies []Study
	// Next and Previous are the cursors of the pages beside it; empty where there is none. A
	// page with a Next may hold fewer studies than were asked for, even none: looking
	// ends after a number of rows, and goes on with the next page.
	Next, Previous Cursor
	Total          int64
	AtLeast        bool // there may be more than Total: counting all of them would look at too many rows
}

// Bounds of the work for one page.
const (
	// drivenMost is how many studies are read and sorted where a filter leaves so few.
	drivenMost = 3_000
	// stretch is how many studies are looked at in one step in the order of the list, and
	// stretches how many such steps a page takes.
	stretch   = 5_000
	stretches = 2
	// countedMost is how many studies are looked at to count them, of each kind of value by
	// which they are found.
	countedMost = 5_000
	// ListMost is the largest page.
	ListMost = 200
)

// List reads a page of studies. A filter that leaves few studies is looked up and its studies
// are sorted; else the studies are looked at in the order of the list, from the place
// of the cursor. So the last page costs what the first does.
func (s *Search) List(ctx context.Context, q ListQuery) (page StudyPage, err error) {
	l, err := s.newListing(q)
	if err != nil {
		return StudyPage{}, err
	}

	err = s.Read(ctx, func(tx *db.Tx) error {
		if err := l.choose(ctx, tx); err != nil {
			return err
		}
		if page, err = l.page(ctx, tx); err != nil {
			return err
		}
		if err := readMarks(ctx, tx, page.Studies); err != nil || q.Uncounted {
			return err
		}
		page.Total, page.AtLeast, err = l.count(ctx, tx)

		return err
	})

	return page, err
}

// listing is a ListQuery that is being answered.
type listing struct {
	db      *db.DB
	order   order
	place   *spot // of the cursor; nil at the beginning
	back    bool  // the page before the place
	limit   int
	narrows []narrowing
	scope   *narrowing // the studies that may be seen; nil for all
	driver  *narrowing // the one that leaves the fewest studies; nil without any
	few     bool       // the driver leaves so few that they are sorted
}

func (s *Search) newListing(q ListQuery) (*listing, error) {
	l := &listing{db: s.DB, limit: q.Limit}
	if l.limit <= 0 {
		l.limit = 50
	}
	if l.limit > ListMost {
		return nil, fault.Newf(fault.Invalid, "index: a page has at most %d studies", ListMost)
	}

	var err error
	if l.order, err = q.Sort.order(); err != nil {
		return nil, err
	}
	if q.Cursor != "" {
		if l.place, l.back, err = l.order.parse(q.Cursor); err != nil {
			return nil, err
		}
	}
	if l.narrows, err = l.filters(&q.Filter); err != nil {
		return nil, err
	}

	scope, err := q.Scope.bind()
	if err != nil {
		return nil, err
	}
	if list := scope.of(inStudy); list != nil {
		l.narrows = append(l.narrows, narrowing{from: []origin{ofStudies(list...)}, each: list, once: true})
		l.scope = &l.narrows[len(l.narrows)-1]
	}

	return l, nil
}

// choose finds the filter that leaves the fewest studies.
func (l *listing) choose(ctx context.Context, tx *db.Tx) error {
	least := int64(0)
	for i := range l.narrows {
		n := &l.narrows[i]
		if len(n.from) == 0 {
			continue
		}
		s := &statement{db: l.db}
		s.write("SELECT COUNT(*) FROM (")
		s.origins(n.from, false)
		s.write(" LIMIT ", s.bind(drivenMost+1), ") d")

		var found int64
		if err := tx.QueryRow(ctx, s.text.String(), s.args...).Scan(&found); err != nil {
			return err
		}
		if l.driver == nil || found < least {
			l.driver, least = n, found
		}
	}
	l.few = l.driver != nil && least <= drivenMost
	if l.scope != nil && !l.few { // a walk would stop at studies that may not be seen, and its cursor says where
		l.driver, l.few = l.scope, true
	}

	return nil
}

// page reads the studies of the page and one more, which says that there is another page.
func (l *listing) page(ctx context.Context, tx *db.Tx) (p StudyPage, err error) {
	var rows []listed
	var stopped *spot // where looking ended before the page was full
	if l.few {
		rows, err = l.driven(ctx, tx)
	} else {
		rows, stopped, err = l.walk(ctx, tx)
	}
	if err != nil {
		return StudyPage{}, err
	}

	more := len(rows) > l.limit
	rows = rows[:min(len(rows), l.limit)]
	end := stopped
	if more || end == nil && len(rows) > 0 {
		end = &rows[len(rows)-1].place
	}
	further := l.order.cursor(end, l.back)
	if !more && stopped == nil {
		further = ""
	}

	// What lies the other way is what the caller came from.
	near := Cursor("")
	if l.place != nil {
		near = l.order.cursor(l.place, !l.back)
		if len(rows) > 0 {
			near = l.order.cursor(&rows[0].place, !l.back)
		}
	}

	p.Next, p.Previous = further, near
	if l.back {
		slices.Reverse(rows)
		p.Next, p.Previous = near, further
	}
	for i := range rows {
		p.Studies = append(p.Studies, rows[i].study)
	}

	return p, nil
}

// driven reads the studies that the driver leaves.
func (l *listing) driven(ctx context.Context, tx *db.Tx) ([]listed, error) {
	query, args := l.drivenPage()

	return db.All(ctx, tx, l.order.scan, query, args...)
}

// walk looks at the studies in the order of the list, a stretch at a time.
func (l *listing) walk(ctx context.Context, tx *db.Tx) (rows []listed, stopped *spot, err error) {
	from := l.place
	for range stretches {
		var end *spot
		if len(l.narrows) > 0 {
			if end, err = l.stretchEnd(ctx, tx, from); err != nil {
				return nil, nil, err
			}
		}

		for _, part := range l.order.between(from, end, l.back) {
			query, args := l.walkPage(part, l.limit+1-len(rows))
			some, err := db.All(ctx, tx, l.order.scan, query, args...)
			if err != nil {
				return nil, nil, err
			}
			if rows = append(rows, some...); len(rows) > l.limit {
				break
			}
		}
		if end == nil || len(rows) > l.limit {
			return rows, nil, nil
		}
		from = end
	}

	return rows, from, nil
}

// stretchEnd is the place of the last study of a stretch; nil where fewer are left.
func (l *listing) stretchEnd(ctx context.Context, tx *db.Tx, from *spot) (*spot, error) {
	left := int64(stretch)
	for _, part := range l.order.between(from, nil, l.back) {
		query, args := l.placeAt(part, left-1)
		found, err := db.All(ctx, tx, l.order.scanPlace, query, args...)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return &found[0], nil
		}

		var few int64
		query, args = l.countPart(part)
		if err := tx.QueryRow(ctx, query, args...).Scan(&few); err != nil {
			return nil, err
		}
		left -= few
	}

	return nil, nil
}

// count counts the studies, and says whether there may be more.
func (l *listing) count(ctx context.Context, tx *db.Tx) (n int64, atLeast bool, err error) {
	query, args := l.countAll()
	if l.driver != nil && !l.few && !(len(l.narrows) == 1 && l.driver.once) {
		query, args = l.countSome()
		err = tx.QueryRow(ctx, query, args...).Scan(&n, &atLeast)

		return n, atLeast, err
	}
	err = tx.QueryRow(ctx, query, args...).Scan(&n)

	return n, false, err
}
