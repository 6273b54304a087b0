package db

import "context"

// Scan copies the columns of the row at hand into what dest points to, as
// sql.Rows.Scan does. It is used within the function it was given to.
type Scan = func(dest ...any) error

// All reads every row of a query, in the order of the query; nil where there is
// none. read makes a value of one row. An error of read ends the reading and is
// returned as it is, without the rows before it.
func All[T any](ctx context.Context, tx *Tx, read func(Scan) (T, error), query string, args ...any) ([]T, error) {
	var list []T
	err := Each(ctx, tx, func(scan Scan) error {
		v, err := read(scan)
		if err != nil {
			return err
		}
		list = append(list, v)

		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}

	return list, nil
}

// Column reads the rows of a query that has one column, as All does.
func Column[T any](ctx context.Context, tx *Tx, query string, args ...any) ([]T, error) {
	return All(ctx, tx, func(scan Scan) (v T, err error) {
		err = scan(&v)
		return v, err
	}, query, args...)
}

// Each calls a function for every row of a query, in the order of the query. An
// error of it ends the reading and is returned as it is. The query is closed
// when Each returns, also after a panic.
func Each(ctx context.Context, tx *Tx, read func(Scan) error, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()

	scan := Scan(rows.Scan) // once: each method value is an allocation
	for rows.Next() {
		if err := read(scan); err != nil {
			return err
		}
	}

	// What ended the rows too early is an error only now: without this question
	// half a list would be taken for all of it.
	return rows.Err()
}
