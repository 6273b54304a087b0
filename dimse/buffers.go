package dimse

import "sync"

// buffers keeps write buffers between messages; a server shares one among its associations.
type buffers struct{ pool sync.Pool }

// get gives a buffer with room for n bytes.
func (b *buffers) get(n int) *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok && cap(*p) >= n {
		*p = (*p)[:0]
		return p
	}
	p := make([]byte, 0, n)
	return &p
}

func (b *buffers) put(p *[]byte) { b.pool.Put(p) }
