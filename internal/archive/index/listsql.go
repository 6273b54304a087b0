package index

import (
	"slices"
	"strconv"
)

// The statements of a list of studies.

// listColumns are what a listed study is made of, behind its place.
const listColumns = `, st.uid, st.patient, st.patient_id, st.issuer, st.birth_date, st.sex, st.study_date, st.study_time, st.accession,
	st.study_id, st.description, st.modalities, st.sources, st.series, st.instances, st.size, st.received, st.updated,
	(SELECT data FROM study_data WHERE id = st.id)`

// columns writes expressions with commas.
func (s *statement) columns(list []expression) {
	for i, e := range list {
		if i > 0 {
			s.write(", ")
		}
		s.expression(e)
	}
}

// ordered writes the end of a query in the order of a list. The first columns, so many, have one value: SQLite
// sorts by a beginning anew that it could have left out.
func (s *statement) ordered(o order, back bool, fixed int) {
	direction := ""
	if o.desc != back {
		direction = " DESC"
	}
	s.write(" ORDER BY ")
	for i, e := range o.columns[fixed:] {
		if i > 0 {
			s.write(", ")
		}
		s.expression(e)
		s.write(direction)
	}
}

// each is what every filter asks of a study.
func (l *listing) each() (all []condition) {
	for i := range l.narrows {
		all = append(all, l.narrows[i].each...)
	}

	return all
}

// inOrder is what can be read off the index of the order.
func (l *listing) inOrder() (all []condition) {
	for i := range l.narrows {
		if n := &l.narrows[i]; n.sortedBy != "" && n.sortedBy == l.order.word() {
			all = append(all, n.each...)
		}
	}

	return all
}

// drivenPage is the query for a page of the studies that the driver leaves: they are sorted
// by their places alone, and read when it is known which they are.
func (l *listing) drivenPage() (string, []any) {
	s := &statement{db: l.db}
	s.write("SELECT ")
	s.columns(l.order.columns)
	s.write(listColumns, " FROM (SELECT st.id AS study FROM (")
	s.origins(l.driver.from, true)
	s.write(") d CROSS JOIN study st ON st.id = d.study")
	where := l.each()
	if l.place != nil {
		where = append(where, l.order.behind(l.place, l.back))
	}
	s.where(where)
	s.ordered(l.order, l.back, 0)
	s.write(" LIMIT ", s.bind(l.limit+1), ") k CROSS JOIN study st ON st.id = k.study")
	s.ordered(l.order, l.back, 0)

	return s.text.String(), s.args
}

// walkPage is the query for studies of a part of the list, in its order.
func (l *listing) walkPage(part portion, most int) (string, []any) {
	s := &statement{db: l.db}
	s.write("SELECT ")
	s.columns(l.order.columns)
	s.write(listColumns, " FROM study st")
	s.where(append(slices.Clip(part.where), l.each()...))
	s.ordered(l.order, l.back, part.fixed)
	s.write(" LIMIT ", s.bind(most))

	return s.text.String(), s.args
}

// placeAt is the query for the place of a study of a part of the list, by its number.
func (l *listing) placeAt(part portion, number int64) (string, []any) {
	s := &statement{db: l.db}
	s.write("SELECT ")
	s.columns(l.order.columns)
	s.write(" FROM study st")
	s.where(append(slices.Clip(part.where), l.inOrder()...))
	s.ordered(l.order, l.back, part.fixed)
	s.write(" LIMIT 1 OFFSET ", s.bind(number))

	return s.text.String(), s.args
}

// countPart counts the studies of a part of the list.
func (l *listing) countPart(part portion) (string, []any) {
	s := &statement{db: l.db}
	s.write("SELECT COUNT(*) FROM study st")
	s.where(append(slices.Clip(part.where), l.inOrder()...))

	return s.text.String(), s.args
}

// countAll counts every study that the filters leave.
func (l *listing) countAll() (string, []any) {
	s := &statement{db: l.db}
	switch {
	case l.driver == nil:
		s.write("SELECT COUNT(*) FROM study st")
		s.where(l.each())
	case !l.few:
		s.write("SELECT COUNT(*) FROM (")
		s.origins(l.driver.from, false)
		s.write(") d")
	default:
		s.write("SELECT COUNT(*) FROM (")
		s.origins(l.driver.from, true)
		s.write(") d CROSS JOIN study st ON st.id = d.study")
		s.where(l.each())
	}

	return s.text.String(), s.args
}

// countSome counts among the first studies that the driver finds by each kind of value, and
// says whether it finds more.
func (l *listing) countSome() (string, []any) {
	s := &statement{db: l.db}
	s.write("SELECT (SELECT COUNT(*) FROM (SELECT DISTINCT study FROM (")
	for i, o := range l.driver.from {
		if i > 0 {
			s.write(" UNION ALL ")
		}
		s.write("SELECT study FROM (")
		s.origins([]origin{o}, false)
		s.write(" LIMIT ", s.bind(countedMost+1), ") o", strconv.Itoa(i))
	}
	s.write(") a) d CROSS JOIN study st ON st.id = d.study")
	s.where(l.each())
	s.write("), CASE WHEN ")
	for i, o := range l.driver.from {
		if i > 0 {
			s.write(" OR ")
		}
		s.write("(SELECT COUNT(*) FROM (")
		s.origins([]origin{o}, false)
		s.write(" LIMIT ", s.bind(countedMost+1), ") m) > ", s.bind(countedMost))
	}
	s.write(" THEN 1 ELSE 0 END")

	return s.text.String(), s.args
}

// origins writes the numbers of the studies that are found by a filter: once means that each
// study stands there once.
func (s *statement) origins(list []origin, once bool) {
	for i, o := range list {
		if i > 0 && once {
			s.write(" UNION ")
		} else if i > 0 {
			s.write(" UNION ALL ")
		}
		s.write("SELECT ")
		if once && !o.once {
			s.write("DISTINCT ")
		}
		s.expression(o.pick)
		s.write(" AS study FROM ", o.table)
		s.where(o.parts)
	}
}
