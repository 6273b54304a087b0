package scan

import "math/bits"

// order visits 0 to n-1 once each, in an order that spreads neighbours, so that
// no subnet gets all the load at once.
type order struct{ n, factor, shift uint64 }

func newOrder(n, seed uint64) order {
	o := order{n: n, factor: 1}
	if n < 3 {
		return o
	}

	o.shift = seed % n

	for f := seed%n | 1; ; f += 2 {
		f %= n
		if f > 1 && gcd(f, n) == 1 {
			o.factor = f
			return o
		}
		if f < 2 && n < 5 {
			return o
		}
	}
}

func (o order) at(i uint64) uint64 {
	hi, lo := bits.Mul64(i, o.factor)
	_, r := bits.Div64(hi%o.n, lo, o.n)
	return (r + o.shift) % o.n
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// marks notes which positions are done.
type marks struct {
	bits []uint64
	low  uint64 // all below are done
}

func newMarks(n, low uint64) *marks { return &marks{bits: make([]uint64, n/64+1), low: low} }

func (m *marks) set(i uint64) {
	m.bits[i/64] |= 1 << (i % 64)
	for m.low/64 < uint64(len(m.bits)) && m.bits[m.low/64]&(1<<(m.low%64)) != 0 {
		m.low++
	}
}
