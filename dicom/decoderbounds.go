package dicom

// inflatedElements is how many elements and items of a deflated data set may
// outnumber the bytes that arrived: what is kept must not grow by inflation.
const inflatedElements = 500_000

func (d *Decoder) tooMany() bool {
	if d.count > d.limits.Elements {
		return true
	}

	return d.deflated != nil && d.count > inflatedElements && int64(d.count) > d.deflated.in.n
}

// atZeros reports that only zeros come next: eight of them, or all there are.
// No element begins so: of group 0000 one of no length would.
func (d *Decoder) atZeros() bool {
	b, _ := d.br.Peek(8)
	for _, c := range b {
		if c != 0 {
			return false
		}
	}

	return len(b) > 0
}

// skipZeros reads zeros up to the end of the stream, with which some writers
// fill up a block, and returns io.EOF. They mean nothing to any reader.
func (d *Decoder) skipZeros() error {
	d.note(Event{Offset: d.off}, "zeros behind the data set")
	for {
		c, err := d.br.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			return d.fail(0, "PS3.5 7.1", "zeros between elements", nil)
		}
		d.off++
	}
}
