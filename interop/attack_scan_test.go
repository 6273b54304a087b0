//go:build interop

package interop_test

import "encoding/binary"

// progressive is a progressive JPEG of one component in which every scan after
// the first says that nothing changes: each costs a decoder a walk over all
// blocks (ISO/IEC 10918-1 G).
func progressive(side, scans int) []byte {
	segment := func(marker byte, body ...byte) []byte {
		b := binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2))
		return append(b, body...)
	}
	blocks := (side / 8) * (side / 8)

	quantization := append([]byte{0}, make([]byte, 64)...)
	for i := 1; i < len(quantization); i++ {
		quantization[i] = 1
	}
	frame := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, uint16(side)), uint16(side))
	frame = append(frame, 1, 1, 0x11, 0)

	j := append([]byte{0xFF, 0xD8}, segment(0xDB, quantization...)...)
	j = append(j, segment(0xC2, frame...)...)
	dc := append(append([]byte{0, 1}, make([]byte, 15)...), 0)                // one code of one bit, for "no difference"
	ac := append(append([]byte{0x10, 1, 1}, make([]byte, 14)...), 0xE0, 0x00) // 0: a run of 2^14 blocks, 10: end of block
	j = append(append(j, segment(0xC4, dc...)...), segment(0xC4, ac...)...)

	j = append(j, segment(0xDA, 1, 1, 0, 0, 0, 0)...)
	j = append(j, make([]byte, (blocks+7)/8)...)

	scan := segment(0xDA, 1, 1, 0, 1, 63, 0)
	var bits bitWriter
	for left := blocks; left > 0; {
		n := min(left, 32767)
		if n >= 16384 {
			bits.put(0, 1)
			bits.put(n-16384, 14)
		} else {
			bits.put(0b10, 2)
			n = 1
		}
		left -= n
	}
	scan = append(scan, bits.done()...)
	for range scans {
		j = append(j, scan...)
	}
	return append(j, 0xFF, 0xD9)
}

// bitWriter writes entropy-coded bits with stuffed bytes.
type bitWriter struct {
	out  []byte
	v, n int
}

func (w *bitWriter) put(x, n int) {
	for i := n - 1; i >= 0; i-- {
		w.v = w.v<<1 | x>>i&1
		if w.n++; w.n == 8 {
			w.out = append(w.out, byte(w.v))
			if w.v == 0xFF {
				w.out = append(w.out, 0)
			}
			w.v, w.n = 0, 0
		}
	}
}

func (w *bitWriter) done() []byte {
	for w.n > 0 {
		w.put(1, 1)
	}
	return w.out
}
