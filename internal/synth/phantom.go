package synth

import (
	"encoding/binary"
	"math"
)

// noise is a small fast generator; the quality of a test image is enough.
type noise uint64

func newNoise(seed uint64, parts ...int) noise {
	n := noise(seed*0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03)
	for _, p := range parts {
		n = (n ^ noise(p)) * 0xBF58476D1CE4E5B9
	}
	return n | 1
}

// next is the next 32 bits (xorshift64*).
func (n *noise) next() uint32 {
	x := *n
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*n = x
	return uint32((x * 0x2545F4914F6CDD1D) >> 32)
}

// ellipsoid is a body of the phantom, in units of half the field of view.
type ellipsoid struct {
	x, y, z, a, b, c float64
	value            int
}

// thorax is a trunk with lungs, heart, spine and a nodule, in Hounsfield units.
var thorax = [...]ellipsoid{
	{0, 0, 0, 0.85, 0.62, 2, 40},
	{-0.38, -0.02, 0, 0.30, 0.42, 0.9, -850},
	{0.38, -0.02, 0, 0.30, 0.42, 0.9, -850},
	{0.10, -0.10, 0.1, 0.22, 0.24, 0.5, 45},
	{0, 0.42, 0, 0.10, 0.10, 2, 700},
	{0, 0.42, 0, 0.045, 0.045, 2, 30},
	{0.08, 0.27, 0, 0.05, 0.05, 2, 160},
	{-0.42, 0.08, -0.2, 0.035, 0.035, 0.05, 60},
}

// head is a skull with brain, ventricles and eyes, in arbitrary units.
var head = [...]ellipsoid{
	{0, 0, 0, 0.69, 0.86, 0.8, 900},
	{0, 0, 0, 0.64, 0.80, 0.75, 120},
	{0, 0.02, 0, 0.60, 0.76, 0.70, 520},
	{-0.12, 0.02, 0, 0.06, 0.24, 0.25, 90},
	{0.12, 0.02, 0, 0.06, 0.24, 0.25, 90},
	{0, -0.52, -0.3, 0.30, 0.14, 0.2, 430},
	{0.22, 0.32, 0.1, 0.08, 0.07, 0.1, 760},
}

// slice draws the bodies at height z into 16-bit little endian pixels:
// background outside, later bodies over earlier ones, noise on top.
func slice(bodies []ellipsoid, z float64, rows, columns, background, grain int, rnd noise) []byte {
	values := make([]int16, rows*columns)
	for i := range values {
		values[i] = int16(background)
	}

	for _, e := range bodies {
		dz := (z - e.z) / e.c
		rest := 1 - dz*dz
		if rest <= 0 {
			continue
		}

		for r := range rows {
			dy := (2*(float64(r)+0.5)/float64(rows) - 1 - e.y) / e.b
			half := rest - dy*dy
			if half <= 0 {
				continue
			}

			width := math.Sqrt(half) * e.a
			from := max(0, int((e.x-width+1)/2*float64(columns)))
			to := min(columns, int((e.x+width+1)/2*float64(columns)))

			for c := from; c < to; c++ {
				values[r*columns+c] = int16(e.value)
			}
		}
	}

	out := make([]byte, 2*len(values))
	for i, v := range values {
		n := int(rnd.next()%uint32(2*grain+1)) - grain
		binary.LittleEndian.PutUint16(out[2*i:], uint16(int(v)+n))
	}
	return out
}

// clip draws one color frame of a beating ring in a sector, eight bits, colour
// by pixel.
func clip(rows, columns, frame, frames int, rnd noise) []byte {
	out := make([]byte, 3*rows*columns)
	beat := 0.30 + 0.06*math.Sin(2*math.Pi*float64(frame)/float64(frames))

	for r := range rows {
		y := float64(r) / float64(rows)
		for c := range columns {
			x := 2*float64(c)/float64(columns) - 1
			if math.Abs(x) > 0.1+0.8*y {
				continue // outside of the sector
			}

			speckle := byte(rnd.next() >> 26)
			red, green, blue := speckle, speckle, speckle

			d := math.Hypot(x, 2*(y-0.55))
			switch {
			case math.Abs(d-beat) < 0.05:
				red, green, blue = 160+speckle, 160+speckle, 150+speckle
			case d < beat && x < 0:
				red, green, blue = 120+2*speckle, speckle/2, 0
			case d < beat:
				red, green, blue = 0, speckle/2, 120+2*speckle
			}

			copy(out[3*(r*columns+c):], []byte{red, green, blue})
		}
	}
	return out
}
