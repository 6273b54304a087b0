package index

import "collimator/internal/fault"

// condition is what a row has to fulfil, as a value. The zero condition is
// fulfilled by no row. What is written of it in SQL stands in sql.go.
type condition struct {
	kind   conditionKind
	of     expression
	second expression // of a pair, or what of is equal to

	tuple      []expression
	comparison comparison
	values     []any  // what is bound, never written into the text
	word       string // one of ours, written into the text

	table string      // that a part of rows is looked for in
	pick  expression  // the column of the table that is to be equal to of
	parts []condition // all of them, or any
}

type conditionKind uint8

const (
	never        conditionKind = iota // no row
	compared                          // of stands in a comparison to a value
	tupleCompare                      // tuple stands in a comparison to as many values
	pairCompare                       // of and second stand in a comparison to two values, as a pair
	sameValue                         // of is equal to second
	isWord                            // of is a word of ours
	filled                            // of is not the empty text
	oneOf                             // of is one of the values
	likePattern                       // of matches a pattern as the database writes it
	allParts                          // every part
	anyPart                           // one of the parts
	inTable                           // of is what is picked of a row of a table that fulfils all parts
	existsIn                          // a row of a table fulfils all parts
	numbered                          // of is a number in a JSON array
)

type comparison uint8

const (
	equalTo comparison = iota
	lessThan
	atMost
	moreThan
	atLeast
)

// expression is a value of a row: a column of a table, or what is counted of the
// studies of the row. The zero expression stands for none.
type expression struct {
	table  string // its alias; empty where there is one table only
	column string
	// beginning is a column of text of which the first characters are meant (beginningMost).
	beginning string
	over      *studies
}

// studies are the studies (x) of a row that fulfil all conditions, and what is
// asked of them.
type studies struct {
	what   string
	where  []condition
	newest bool // of the newest one alone
}

// The tables of a query by their aliases.
const (
	patients  = "p"
	inStudy   = "st"
	inSeries  = "se"
	instances = "i"
	byValue   = "v" // the values of studies by which a query finds them
	named     = "n" // the values in which a name is looked for
	beside    = "x" // rows that are looked at beside that of the query
)

func (e expression) none() bool { return e == expression{} }

// mentions reports an expression that needs a row of a table.
func (e expression) mentions(table string) bool {
	return e.table == table || e.over != nil && mentioned(e.over.where, table)
}

// mentions reports a condition that needs a row of a table.
func (c condition) mentions(table string) bool {
	return c.of.mentions(table) || c.second.mentions(table) || mentioned(c.parts, table)
}

func mentioned(list []condition, table string) bool {
	for _, c := range list {
		if c.mentions(table) {
			return true
		}
	}

	return false
}

func compare(of expression, how comparison, value any) condition {
	return condition{kind: compared, of: of, comparison: how, values: []any{value}}
}

func comparePair(of, second expression, how comparison, value, secondValue any) condition {
	return condition{kind: pairCompare, of: of, second: second, comparison: how, values: []any{value, secondValue}}
}

func same(of, second expression) condition { return condition{kind: sameValue, of: of, second: second} }

func all(parts ...condition) condition { return condition{kind: allParts, parts: parts} }

func anyOf(parts []condition) condition { return condition{kind: anyPart, parts: parts} }

// maxList is the longest list of values in one condition.
const maxList = 10_000

// list makes the values of oneOf. Their number is a power of two, so that few
// statements serve all lengths: the last one is repeated.
func list(values []string) ([]any, error) {
	if len(values) > maxList {
		return nil, fault.Newf(fault.TooLarge, "index: a list of more than %d values", maxList)
	}
	if len(values) == 0 {
		return nil, nil
	}

	n := 1
	for n < len(values) {
		n *= 2
	}
	padded := make([]any, n)
	for i := range padded {
		padded[i] = values[min(i, len(values)-1)]
	}

	return padded, nil
}

// among is the condition that a column is one of some values; no row fulfils it
// where there is none.
func among(of expression, values []string) (condition, error) {
	padded, err := list(values)

	return condition{kind: oneOf, of: of, values: padded}, err
}
