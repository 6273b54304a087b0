package dicom

// Limits bound what a data set from outside may cost. A field that is zero
// takes its default; a negative one means no bytes or elements at all.
//
// The default of Elements lets through what equipment makes: a segmentation of
// a whole body with 200,000 frames has 5,400,000 elements and items, and so has
// a tiled whole slide. Each of them arrives as eight bytes at least; kept in
// memory an element takes about 100 bytes and an item about 200. Who decodes
// for many peers at a time sets Elements to the memory there is for one of
// them, or lets few large data sets be decoded at once.
type Limits struct {
	Depth        int   // sequences inside one another; default 64
	Elements     int   // elements and items of all levels; default 8,000,000, see below
	Fragments    int   // fragments of encapsulated pixel data; default 4,194,304
	Header       int64 // bytes of the values kept in memory without pixel data and its kind; default 64 MiB
	Value        int64 // bytes of one value of pixel data kept in memory; default 1 GiB
	Meta         int64 // bytes of the file meta information; default 64 KiB
	Inflated     int64 // bytes of a deflated data set after inflation; default 2 GiB
	InflateRatio int   // bytes after inflation per byte before, once there are more than 16 MiB; default 200
}

// inflateFloor is how many bytes come out before the ratio counts: small data
// sets of zeros are honest.
const inflateFloor = 16 << 20

func (l Limits) withDefaults() Limits {
	set(&l.Depth, 64)
	set(&l.Elements, 8_000_000)
	set(&l.Fragments, 4<<20)
	set(&l.Header, 64<<20)
	set(&l.Value, 1<<30)
	set(&l.Meta, 64<<10)
	set(&l.Inflated, 2<<30)
	set(&l.InflateRatio, 200)
	return l
}

func set[T int | int64](field *T, def T) {
	if *field == 0 {
		*field = def
	}
}
