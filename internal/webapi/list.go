package webapi

// List is a part of a long list, or all of a short one.
type List[T any] struct {
	Items []T `json:"items"`
	// Next goes into the query as "after" for the next page; missing at the end.
	Next *int64 `json:"next,omitempty"`
}

// NewList makes a list; of nil an empty one, so that clients never see null.
func NewList[T any](items []T) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{Items: items}
}

// Location is where the browser goes next.
type Location struct {
	Location string `json:"location"`
}
