// Package phrase makes the parts of sentences that depend on a number. It knows
// English only and decides nothing.
package phrase

import "fmt"

// Count is a number with the word for what is counted: "1 copy", "2 copies" and
// "0 copies" for Count(n, "copy", "copies").
func Count[N ~int | ~int64 | ~uint64](n N, one, many string) string {
	return fmt.Sprintf("%d %s", n, Of(n, one, many))
}

// Of is the word that goes with a number, such as "is" or "are".
func Of[N ~int | ~int64 | ~uint64](n N, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
