package webapi

// List is a part of a long list, or all of a short one.
type List[T any] struct {
	Items []T `json:"items"`
	// Next goes into the query as "after" for the next page; missing at the end.
	Next *int64 `json:"next,omitempty"`
}

// NewList makes an empty list of none, which clients need not tell from null.
func NewList[T any](items []T) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{Items: items}
}
