package disc

import (
	"archive/zip"
	"bufio"
	"context"
	"io"
	"iter"

	"collimator/dicom/media"
	"collimator/dicom/media/iso"
	"collimator/dicomweb"
)

// Objects gives what is stored as somebody may have it, which the restriction of a selection says.
type Objects interface {
	Headers(context.Context, dicomweb.Selection) iter.Seq2[dicomweb.Header, error]
	Instances(context.Context, dicomweb.Selection) iter.Seq2[dicomweb.Instance, error]
	Open(ctx context.Context, i dicomweb.Instance, transferSyntax string) (io.ReadCloser, error)
}

// Pieces are the objects of a selection as a medium takes them.
func Pieces(ctx context.Context, from Objects, of dicomweb.Selection) iter.Seq2[Piece, error] {
	return func(yield func(Piece, error) bool) {
		for h, err := range from.Headers(ctx, of) {
			i := h.Instance
			open := func() (io.ReadCloser, error) { return from.Open(ctx, i, i.TransferSyntaxUID) }
			if !yield(Piece{File: open, DataSet: h.DataSet, Syntax: i.TransferSyntaxUID}, err) || err != nil {
				return
			}
		}
	}
}

// streamPiece is how much of a medium is written at a time, in bytes.
const streamPiece = 128 << 10

// WriteZip writes a medium as a zip while it is made.
func WriteZip(ctx context.Context, w io.Writer, pieces iter.Seq2[Piece, error], o BurnOptions) (*Made, error) {
	b := bufio.NewWriterSize(w, streamPiece)
	z := zip.NewWriter(b)
	made, err := Burn(ctx, media.Zip(z), pieces, o)
	if err != nil {
		return made, err
	}
	if err := z.Close(); err != nil {
		return made, err
	}
	return made, b.Flush()
}

// WriteISO writes a medium as the image of a disc. Its beginning says where everything is, so that all of it is kept
// in the spool first; what every image begins with is written before, and whoever waits sees that it has begun.
func WriteISO(ctx context.Context, w io.Writer, spool iso.Spool, pieces iter.Seq2[Piece, error], o BurnOptions) (*Made, error) {
	if _, err := w.Write(make([]byte, iso.SystemArea)); err != nil {
		return nil, err
	}
	image, err := iso.New(spool, iso.Options{Volume: o.FileSetID})
	if err != nil {
		return nil, err
	}
	made, err := Burn(ctx, image, pieces, o)
	if err != nil {
		return made, err
	}
	b := bufio.NewWriterSize(&behind{w, iso.SystemArea}, streamPiece)
	if _, err := image.WriteTo(b); err != nil {
		return made, err
	}
	return made, b.Flush()
}

// behind leaves out what was written already.
type behind struct {
	w    io.Writer
	left int
}

// Write implements io.Writer.
func (b *behind) Write(p []byte) (int, error) {
	skip := min(b.left, len(p))
	b.left -= skip
	n, err := b.w.Write(p[skip:])
	return skip + n, err
}
