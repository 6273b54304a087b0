package index

// portion is a part of a list: what its studies fulfil, and how many of the columns have one value in it.
type portion struct {
	where []condition
	fixed int
}

// between is the studies behind a place, up to another and with it, as parts of the list in
// its order; nil is the beginning, or the end. In each part all but one of the columns that it
// speaks of have one value, so that an index leads to its first study, however many
// studies have the same value in the first column. A comparison of pairs would be one
// condition; SQLite looks through all that are equal in the first column for it, where the second
// is the ID or a beginning.
func (o order) between(from, to *spot, back bool) []portion {
	if from == nil && to == nil {
		return []portion{{}}
	}

	behind, before, upTo := moreThan, lessThan, atMost
	if o.desc != back {
		behind, before, upTo = lessThan, moreThan, atLeast
	}
	last := len(o.columns) - 1
	shared := 0
	if from != nil && to != nil {
		for shared <= last && (*from)[shared] == (*to)[shared] {
			shared++
		}
	}
	if shared > last {
		return nil
	}

	var parts []portion
	if from != nil {
		for i := last; i > shared; i-- {
			parts = append(parts, portion{append(o.equal(*from, i), compare(o.columns[i], behind, (*from)[i])), i})
		}
	}

	var middle []condition
	if from != nil {
		middle = append(o.equal(*from, shared), compare(o.columns[shared], behind, (*from)[shared]))
	}
	if to == nil {
		return append(parts, portion{middle, shared})
	}
	until := before
	if shared == last {
		until = upTo
	}
	if middle == nil {
		middle = o.equal(*to, shared)
	}
	parts = append(parts, portion{append(middle, compare(o.columns[shared], until, (*to)[shared])), shared})

	for i := shared + 1; i <= last; i++ {
		until := before
		if i == last {
			until = upTo
		}
		parts = append(parts, portion{append(o.equal(*to, i), compare(o.columns[i], until, (*to)[i])), i})
	}

	return parts
}

// equal is that the first columns have the values of a place.
func (o order) equal(at spot, columns int) (list []condition) {
	for i := range columns {
		list = append(list, compare(o.columns[i], equalTo, at[i]))
	}

	return list
}

// behind is the same as between without an end, as one condition.
func (o order) behind(at *spot, back bool) condition {
	than := moreThan
	if o.desc != back {
		than = lessThan
	}

	return condition{kind: tupleCompare, tuple: o.columns, comparison: than, values: *at}
}
