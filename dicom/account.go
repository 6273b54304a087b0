package dicom

// Account bounds what decoding keeps in memory beyond one data set: a server
// gives each request an Account of what all its requests may hold together.
// Limits bound a single data set by what stands in it; an Account is told in
// bytes what it becomes.
//
// Grow takes n more bytes and returns nil, or it takes nothing and returns why
// not; decoding ends with that error. What was taken is given back by whoever
// made the Account, once the data set is no longer used.
type Account interface {
	Grow(n int64) error
}

// What parts of a data set cost in memory, in bytes, on a machine of 64 bits:
// the structures of this package and what the allocator adds to them. A test
// holds them against the heap.
const (
	elementCost  = 88  // an element with a short value, and its place in the list
	itemCost     = 96  // an item of a sequence without its elements
	nestedCost   = 64  // a sequence, over an element
	apartCost    = 200 // fragments, over an element
	fragmentCost = 32  // one fragment without its bytes
	tokenCost    = 56  // a value in the DICOM JSON model until its element is built
)

// chargeStep is how many bytes are taken together, so that an Account is not
// asked for each element.
const chargeStep = 16 << 10

// charger takes bytes from an Account in steps. Without one it takes none.
type charger struct {
	account Account
	due     int64
}

// add takes n bytes, now or with the next step.
func (c *charger) add(n int64) error {
	if c.account == nil {
		return nil
	}
	if c.due += n; c.due < chargeStep {
		return nil
	}
	n, c.due = c.due, 0
	return c.account.Grow(n)
}
