package synth

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// Bytes is a file as it stands on a disk (PS3.10 7).
func Bytes(f *dicom.File) []byte {
	var b bytes.Buffer
	check(dicom.WriteFile(&b, f))
	return b.Bytes()
}

// DataSet is the data set of a file as it goes over the network, in the
// transfer syntax of the file.
func DataSet(f *dicom.File) []byte { return Encode(f.DataSet, f.TransferSyntax) }

// Encode is a data set in a transfer syntax, which must fit its pixel data.
func Encode(ds *dicom.DataSet, transferSyntax string) []byte {
	var b bytes.Buffer
	check(dicom.Encode(&b, ds, transferSyntax))
	return b.Bytes()
}

// In is a file with native pixel data in another native transfer syntax, in
// RLE Lossless or, with eight bits, in JPEG Baseline.
func In(f *dicom.File, transferSyntax string, table OffsetTable) *dicom.File {
	ds := f.DataSet.Clone()
	if ts, _ := dicom.LookupTransferSyntax(transferSyntax); ts.Encapsulated && ds.Has(tag.PixelData) {
		encapsulate(builder{ds}, transferSyntax, table)
	}
	return FileOf(ds, transferSyntax)
}

// FileOf makes a file with preamble and meta information of a data set, which it does
// not copy.
func FileOf(ds *dicom.DataSet, transferSyntax string) *dicom.File {
	head := dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID:               ds.Text(tag.SOPClassUID),
		SOPInstanceUID:            ds.Text(tag.SOPInstanceUID),
		TransferSyntaxUID:         transferSyntax,
		ImplementationClassUID:    UID(0, "implementation"),
		ImplementationVersionName: "SYNTH",
	})

	meta, _, err := dicom.ReadMeta(bufio.NewReader(bytes.NewReader(head)), dicom.Limits{})
	check(err)

	return &dicom.File{Meta: meta, DataSet: ds, TransferSyntax: transferSyntax, DataSetOffset: int64(len(head)), HasPreamble: true}
}

func (p *plan) file(ds *dicom.DataSet) *dicom.File {
	return In(&dicom.File{DataSet: ds}, p.TransferSyntax, p.OffsetTable)
}

// encapsulate compresses each frame into a fragment (PS3.5 A.4).
func encapsulate(b builder, transferSyntax string, table OffsetTable) {
	frames, err := pixel.Index(b.ds)
	check(err)

	var fragments [][]byte
	var offsets, lengths []uint64
	at := uint64(0)
	for n := 1; n <= frames.Len(); n++ {
		native, err := frames.Bytes(n)
		check(err)

		var frag []byte
		switch transferSyntax {
		case uid.RLELossless:
			frag = encodeRLE(native, frames.Attributes)
		case uid.JPEGBaseline8Bit:
			frag = encodeJPEG(native, frames.Attributes)
		default:
			panic("synth: no encoder for the transfer syntax")
		}

		lengths = append(lengths, uint64(len(frag)))
		if len(frag)%2 == 1 {
			frag = append(frag, 0)
		}

		fragments = append(fragments, frag)
		offsets = append(offsets, at)
		at += 8 + uint64(len(frag))
	}

	var basic []byte
	switch table {
	case BasicTable:
		for _, o := range offsets {
			basic = binary.LittleEndian.AppendUint32(basic, uint32(o))
		}
	case ExtendedTable:
		b.ds.Set(dicom.NewElement(tag.ExtendedOffsetTable, dicom.OV, words(offsets)))
		b.ds.Set(dicom.NewElement(tag.ExtendedOffsetTableLengths, dicom.OV, words(lengths)))
	}

	b.ds.Set(dicom.NewFragments(tag.PixelData, dicom.OB, basic, fragments...))

	if transferSyntax == uid.JPEGBaseline8Bit {
		lossy(b, frames.Attributes, at)
	}
}

// lossy says that and how pixels were changed (PS3.3 C.7.6.1.1.5).
func lossy(b builder, a pixel.Attributes, compressed uint64) {
	plain := float64(a.FrameLength() * int64(a.NumberOfFrames))
	if a.SamplesPerPixel == 3 {
		b.text(tag.PhotometricInterpretation, "YBR_FULL_422")
	}

	b.text(tag.LossyImageCompression, "01")
	b.float(tag.LossyImageCompressionRatio, float64(int(100*plain/float64(compressed)))/100)
	b.text(tag.LossyImageCompressionMethod, "ISO_10918_1")
}

func words(values []uint64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	return out
}

// encodeJPEG makes a baseline stream of a frame of eight bits.
func encodeJPEG(native []byte, a pixel.Attributes) []byte {
	if a.BitsAllocated != 8 || a.SamplesPerPixel != 1 && a.SamplesPerPixel != 3 || a.SamplesPerPixel == 3 && a.PlanarConfiguration != 0 {
		panic("synth: JPEG Baseline needs eight bits, colour by pixel")
	}

	bounds := image.Rect(0, 0, a.Columns, a.Rows)
	var picture image.Image = &image.Gray{Pix: native, Stride: a.Columns, Rect: bounds}

	if a.SamplesPerPixel == 3 {
		rgb := image.NewRGBA(bounds)
		for i := range a.Rows * a.Columns {
			rgb.SetRGBA(i%a.Columns, i/a.Columns, color.RGBA{R: native[3*i], G: native[3*i+1], B: native[3*i+2], A: 255})
		}
		picture = rgb
	}

	var b bytes.Buffer
	check(jpeg.Encode(&b, picture, &jpeg.Options{Quality: 90}))
	return b.Bytes()
}

// encodeRLE makes the RLE stream of a frame: a segment for each byte of each
// sample, the most significant first, rows apart (PS3.5 G.2 to G.4).
func encodeRLE(native []byte, a pixel.Attributes) []byte {
	width := a.BitsAllocated / 8
	if width == 0 || a.SamplesPerPixel > 1 && a.PlanarConfiguration != 0 {
		panic("synth: RLE needs whole bytes, colour by pixel")
	}

	stride := width * a.SamplesPerPixel
	out := make([]byte, 64)
	binary.LittleEndian.PutUint32(out, uint32(stride))

	row := make([]byte, a.Columns)
	for segment := range stride {
		binary.LittleEndian.PutUint32(out[4+4*segment:], uint32(len(out)))
		sample := segment / width
		b := width - 1 - segment%width

		for r := range a.Rows {
			for c := range a.Columns {
				row[c] = native[(r*a.Columns+c)*stride+sample*width+b]
			}
			out = packBits(out, row)
		}

		if len(out)%2 == 1 {
			out = append(out, 0)
		}
	}
	return out
}

// packBits appends one row (PS3.5 G.3.1).
func packBits(dst, row []byte) []byte {
	for i := 0; i < len(row); {
		run := 1
		for i+run < len(row) && run < 128 && row[i+run] == row[i] {
			run++
		}

		if run > 2 {
			dst = append(dst, byte(257-run), row[i])
			i += run
			continue
		}

		start := i
		for i < len(row) && i-start < 128 && (i+2 >= len(row) || row[i] != row[i+1] || row[i] != row[i+2]) {
			i++
		}
		dst = append(append(dst, byte(i-start-1)), row[start:i]...)
	}
	return dst
}
