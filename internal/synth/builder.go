package synth

import (
	"collimator/dicom"
	"collimator/dicom/tag"
)

// builder sets elements; what does not fit is a mistake in this package or in
// the options and panics.
type builder struct{ ds *dicom.DataSet }

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (b builder) text(t dicom.Tag, values ...string)   { check(b.ds.SetText(t, values...)) }
func (b builder) int(t dicom.Tag, values ...int64)     { check(b.ds.SetInt(t, values...)) }
func (b builder) float(t dicom.Tag, values ...float64) { check(b.ds.SetFloat(t, values...)) }

// item makes an item that fill fills.
func (b builder) item(fill func(builder)) *dicom.DataSet {
	it := builder{b.ds.NewItem()}
	if fill != nil {
		fill(it)
	}
	return it.ds
}

// sequence sets a sequence with an item for each fill.
func (b builder) sequence(t dicom.Tag, fills ...func(builder)) {
	var items []*dicom.DataSet
	for _, fill := range fills {
		items = append(items, b.item(fill))
	}
	b.ds.SetItems(t, items...)
}

// code is a coded entry (PS3.3 8.8).
type code struct{ value, scheme, meaning string }

func (b builder) code(t dicom.Tag, codes ...code) {
	var fills []func(builder)
	for _, c := range codes {
		fills = append(fills, func(it builder) {
			it.text(tag.CodeValue, c.value)
			it.text(tag.CodingSchemeDesignator, c.scheme)
			it.text(tag.CodeMeaning, c.meaning)
		})
	}

	b.sequence(t, fills...)
}

// pixels sets the Image Pixel module of native pixel data (PS3.3 C.7.6.3).
type pixels struct {
	rows, columns, samples int
	allocated, stored      int
	signed                 bool
	photometric            string
	data                   []byte
}

func (b builder) pixels(p pixels) {
	b.int(tag.SamplesPerPixel, int64(p.samples))
	b.text(tag.PhotometricInterpretation, p.photometric)
	if p.samples > 1 {
		b.int(tag.PlanarConfiguration, 0)
	}

	b.int(tag.Rows, int64(p.rows))
	b.int(tag.Columns, int64(p.columns))
	b.int(tag.BitsAllocated, int64(p.allocated))
	b.int(tag.BitsStored, int64(p.stored))
	b.int(tag.HighBit, int64(p.stored-1))
	b.int(tag.PixelRepresentation, 0)
	if p.signed {
		b.int(tag.PixelRepresentation, 1)
	}

	vr := dicom.OW
	if p.allocated <= 8 {
		vr = dicom.OB
	}
	b.ds.Set(dicom.NewElement(tag.PixelData, vr, p.data))
}
