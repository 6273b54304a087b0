package index

import (
	"strconv"
	"strings"

	"collimator/internal/db"
)

// statement writes a query in SQL: everything that is asked of the index by
// conditions becomes text here and nowhere else. Values are bound, and a list
// that stands in several places is bound once: the database takes a limited
// number of values.
type statement struct {
	db    *db.DB
	text  strings.Builder
	args  []any
	bound map[*any]int // number of the first value of a list
}

// write appends texts of ours.
func (s *statement) write(texts ...string) {
	for _, t := range texts {
		s.text.WriteString(t)
	}
}

// bind adds a value and returns its placeholder.
func (s *statement) bind(v any) string {
	s.args = append(s.args, v)

	return placeholder(len(s.args))
}

func placeholder(n int) string { return "?" + strconv.Itoa(n) }

// where writes the conditions of a query, all of which a row has to fulfil.
func (s *statement) where(list []condition) {
	if len(list) == 0 {
		return
	}
	s.write(" WHERE ")
	s.join(list, " AND ")
}

func (s *statement) join(list []condition, between string) {
	for i, c := range list {
		if i > 0 {
			s.write(between)
		}
		s.condition(c)
	}
}

// condition writes a condition. Values of a query are bound; only names and words of
// ours become part of the text.
func (s *statement) condition(c condition) {
	switch c.kind {
	case compared:
		s.expression(c.of)
		s.write(sign(c.comparison), s.bind(c.values[0]))

	case pairCompare:
		s.write("(")
		s.expression(c.of)
		s.write(", ")
		s.expression(c.second)
		s.write(")", sign(c.comparison), "(", s.bind(c.values[0]))
		s.write(", ", s.bind(c.values[1]), ")")

	case tupleCompare:
		s.write("(")
		s.columns(c.tuple)
		s.write(")", sign(c.comparison), "(")
		for i, v := range c.values {
			if i > 0 {
				s.write(", ")
			}
			s.write(s.bind(v))
		}
		s.write(")")

	// Of an expression and text that is ours: nothing is bound.
	case sameValue:
		s.expression(c.of)
		s.write(" = ")
		s.expression(c.second)
	case isWord:
		s.expression(c.of)
		s.write(" = '", c.word, "'")
	case filled:
		s.expression(c.of)
		s.write(" <> ''")

	// Of an expression and values of the query.
	case oneOf:
		s.oneOf(c)
	case likePattern:
		s.write(s.db.Glob(c.of.table+"."+c.of.column, s.bind(c.values[0])))
	case numbered:
		s.expression(c.of)
		s.write(" IN (SELECT value FROM json_each(", s.bind(c.values[0]), "))")

	// Of other conditions.
	case allParts:
		s.write("(")
		s.join(c.parts, " AND ")
		s.write(")")
	case anyPart:
		s.write("(")
		s.join(c.parts, " OR ")
		s.write(")")

	// Of the rows of another table.
	case inTable:
		s.expression(c.of)
		s.write(" IN (SELECT ")
		s.expression(c.pick)
		s.write(" FROM ", c.table)
		s.where(c.parts)
		s.write(")")
	case existsIn:
		s.write("EXISTS (SELECT 1 FROM ", c.table)
		s.where(c.parts)
		s.write(")")

	// The zero kind, never, lets no row through.
	default:
		s.write("1 = 0")
	}
}

// oneOf writes a list of values, which is bound where it stands for the first
// time.
func (s *statement) oneOf(c condition) {
	if len(c.values) == 0 {
		s.write("1 = 0")
		return
	}

	first, ok := s.bound[&c.values[0]]
	if !ok {
		first = len(s.args) + 1
		s.args = append(s.args, c.values...)
		if s.bound == nil {
			s.bound = map[*any]int{}
		}
		s.bound[&c.values[0]] = first
	}

	s.expression(c.of)
	if len(c.values) == 1 {
		s.write(" = ", placeholder(first))
		return
	}
	s.write(" IN (")
	for i := range c.values {
		if i > 0 {
			s.write(", ")
		}
		s.write(placeholder(first + i))
	}
	s.write(")")
}

func (s *statement) expression(e expression) {
	switch {
	case e.over != nil:
		s.write("(SELECT ", e.over.what, " FROM study x")
		s.where(e.over.where)
		if e.over.newest {
			s.write(" ORDER BY x.study_date DESC, x.id DESC LIMIT 1")
		}
		s.write(")")
	case e.beginning != "":
		s.write("substr(", e.table, ".", e.beginning, ", 1, ", strconv.Itoa(beginningMost), ")")
	case e.table != "":
		s.write(e.table, ".", e.column)
	default:
		s.write(e.column)
	}
}

func sign(c comparison) string {
	switch c {
	case lessThan:
		return " < "
	case atMost:
		return " <= "
	case moreThan:
		return " > "
	case atLeast:
		return " >= "
	}

	return " = "
}

// page is the query for the next rows of a plan.
func (p *plan) page(behind []condition, size int) (string, []any) {
	s := &statement{db: p.db}
	s.selection(p)
	s.tables(p, true)
	s.where(behind)
	s.orderBy(p)
	s.write(" LIMIT ", s.bind(size))

	return s.text.String(), s.args
}

// offset is the query for the place that lies so many rows behind. It reads the
// sort keys alone, which for most queries stand in an index together, and leaves
// the patient out where no condition needs it.
func (p *plan) offset(behind []condition, rows int) (string, []any) {
	s := &statement{db: p.db}
	s.write("SELECT ")
	s.place(p)
	s.tables(p, mentioned(behind, patients))
	s.where(behind)
	s.orderBy(p)
	s.write(" LIMIT 1 OFFSET ", s.bind(rows))

	return s.text.String(), s.args
}

// place writes the sort key and the ID of a row.
func (s *statement) place(p *plan) {
	if p.sort.none() {
		s.write("0")
	} else {
		s.expression(p.sort)
	}
	s.write(", ")
	s.expression(p.id)
}

// selection writes the columns of the level. Attributes are read only where an
// answer or a match needs them.
func (s *statement) selection(p *plan) {
	data := func(table, id string) {
		if !p.need && len(p.post) == 0 && !p.AllAttributes {
			s.write(", NULL")
			return
		}
		s.write(", (SELECT data FROM ", table, " WHERE id = ", id, ")")
	}

	s.write("SELECT ")
	s.place(p)
	for _, count := range p.counts {
		s.write(", ")
		s.expression(count)
	}
	if p.Level >= StudyLevel {
		s.write(", st.uid, st.modalities, st.sop_classes, st.series, st.instances")
	}

	switch {
	case p.Level == PatientLevel && p.Scope.everything:
		data("patient_data", "p.id")
	case p.Level < ImageLevel:
		data("study_data", "st.id")
	}

	if p.Level >= SeriesLevel {
		s.write(", se.uid, se.instances")
	}

	switch p.Level {
	case SeriesLevel:
		data("series_data", "se.id")
	case ImageLevel:
		s.write(", i.uid, i.sop_class, i.transfer_syntax, i.digest, i.size, i.data_offset, i.character_set")
		data("instance_data", "i.id")
	}
}

// tables writes the tables of the level. The join of the patient leaves out no
// row; the level of the patient has it in any case.
func (s *statement) tables(p *plan, patient bool) {
	if p.Level == PatientLevel {
		s.write(" FROM patient p")
		if !p.Scope.everything {
			s.write(" JOIN study st ON st.id = ")
			s.expression(p.shown)
		}
		return
	}

	switch {
	case p.Level == StudyLevel && p.driver != "":
		s.write(" FROM study_value v CROSS JOIN study st ON st.id = v.study")
	case p.Level == StudyLevel:
		s.write(" FROM study st")
	case p.Level == SeriesLevel:
		s.write(" FROM series se JOIN study st ON st.id = se.study")
	default:
		s.write(" FROM ", RefTables)
	}
	if patient {
		s.write(" JOIN patient p ON p.id = st.patient")
	}
}

// orderBy ends with the ID, so that rows with the same sort key have one order on
// every page.
func (s *statement) orderBy(p *plan) {
	direction := ""
	if p.desc {
		direction = " DESC"
	}

	s.write(" ORDER BY ")
	if !p.sort.none() {
		s.expression(p.sort)
		s.write(direction, ", ")
	}
	s.expression(p.id)
	s.write(direction)
}
