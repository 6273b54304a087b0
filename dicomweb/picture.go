package dicomweb

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"

	"collimator/dicom"
	"collimator/dicom/pixel"
)

// image renders one frame. What it holds meanwhile is reserved before. done gives
// back what the picture takes.
func (x *exchange) image(header *Header, n int, o renderOptions, mediaType string) (b []byte, done func(), err error) {
	ctx := x.r.Context()
	cost := pictureCost(header, n, o)
	account, done, err := x.call.memory(ctx, cost)
	if err != nil {
		return nil, nil, err
	}

	out := &accounted{account: account, ctx: ctx}
	if err := x.render(out, header, n, o, mediaType); err != nil {
		done()
		return nil, nil, err
	}

	if a, ok := account.(interface{ Shrink(n int64) }); ok {
		a.Shrink(cost) // all but the picture
	}
	return out.b.Bytes(), done, nil
}

// render writes a picture. Only so many are in work at the same time.
func (x *exchange) render(w io.Writer, header *Header, n int, o renderOptions, mediaType string) error {
	ctx := x.r.Context()
	rest, err := x.h.rendering.take(ctx, x.call.Holder)
	if err != nil {
		return err
	}
	defer rest()

	options := pixel.RenderOptions{Window: o.window, MaxPixels: x.h.limits.RenderedPx}
	img, err := pixel.Render(ctx, header.DataSet, n, header.TransferSyntaxUID, options)
	if err != nil {
		return err
	}
	v := o.view
	v.Region = region(img.Bounds(), o.source)
	if img, err = pixel.Scale(ctx, img, v); err != nil {
		return err
	}
	if mediaType == typePNG {
		return png.Encode(w, img)
	}
	return jpeg.Encode(w, img, &jpeg.Options{Quality: o.quality})
}

// pictureCost is the bytes that rendering holds: the frame, the view of it and
// tables of the encoder.
func pictureCost(header *Header, n int, o renderOptions) int64 {
	cost := pixel.RenderCost(header.DataSet, n, header.TransferSyntaxUID) + 1<<20
	if o.view.Width > 0 && o.view.Height > 0 {
		cost += 4 * viewPixels(header, o)
	}
	return cost
}

// viewPixels is how many pixels the picture of a frame has.
func viewPixels(header *Header, o renderOptions) int64 {
	a, err := pixel.Describe(header.DataSet)
	if err != nil {
		return 0 // there will be no picture
	}
	bounds := image.Rect(0, 0, a.Columns, a.Rows)
	v := o.view
	v.Region = region(bounds, o.source)
	w, h := v.Size(bounds)
	return int64(w) * int64(h)
}

// pictureBound holds the pixels of all frames that a request names against the limit.
func (x *exchange) pictureBound(header *Header, o renderOptions) error {
	if n := int64(len(x.call.Frames)); n > 1 && n*viewPixels(header, o) > x.h.limits.PicturesPx {
		return problemf(http.StatusRequestEntityTooLarge,
			"The pictures have more than %d pixels together. Ask for fewer frames at a time, or for a smaller viewport.",
			x.h.limits.PicturesPx)
	}
	return nil
}

// accounted is a buffer that takes from an account what it is going to hold.
type accounted struct {
	account dicom.Account
	ctx     context.Context // of the request for which it is written
	b       bytes.Buffer
}

// Write implements io.Writer.
func (w *accounted) Write(p []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}

	if room := w.b.Cap() - w.b.Len(); len(p) > room {
		more := max(w.b.Cap(), len(p), 64<<10)
		if w.account != nil {
			if err := w.account.Grow(int64(more)); err != nil {
				return 0, err
			}
		}
		w.b.Grow(more)
	}
	return w.b.Write(p)
}

// openFrame reads a frame as it is stored or decoded. What decoding holds is
// reserved before, and done gives it back once the frame was sent.
func (x *exchange) openFrame(f *pixel.Frames, n int, ts string, decode bool) (r io.Reader, length int64, done func(), err error) {
	ctx := x.r.Context()
	if !decode {
		done = func() {}
		if cost := f.OpenCost(n); cost > 0 {
			if _, done, err = x.call.memory(ctx, cost); err != nil {
				return nil, 0, nil, err
			}
		}
		if r, err = f.Open(n); err != nil {
			done()
		}
		return r, f.Length(n), done, err
	}

	_, done, err = x.call.memory(ctx, f.Cost(n, ts))
	if err != nil {
		return nil, 0, nil, err
	}

	b, err := x.decoded(f, n, ts)
	if err != nil {
		done()
		return nil, 0, nil, err
	}
	return bytes.NewReader(b), int64(len(b)), done, nil
}

// decoded decodes a frame in its turn.
func (x *exchange) decoded(f *pixel.Frames, n int, ts string) ([]byte, error) {
	rest, err := x.h.rendering.take(x.r.Context(), x.call.Holder)
	if err != nil {
		return nil, err
	}
	defer rest()
	b, _, err := f.Decode(x.r.Context(), n, ts)
	return b, err
}

// sendFrame sends a frame as a part.
func (x *exchange) sendFrame(w *partWriter, partType, location string, r io.Reader, length int64) error {
	if err := w.begin(partType, location, length); err != nil {
		return err
	}
	return copyWhole(w.w, r, length)
}
