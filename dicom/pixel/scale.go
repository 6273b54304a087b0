package pixel

import (
	"context"
	"image"
	"image/color"
	stddraw "image/draw"
	"math"
)

// View is what of an image is shown, and how large (PS3.18 8.3.5.1.3).
type View struct {
	Width, Height int             // pixels the result has at most; it keeps the proportions
	Region        image.Rectangle // of the image; empty is the whole
	FlipX, FlipY  bool
}

// Size is the size in pixels of a view of an image with these bounds.
func (v View) Size(b image.Rectangle) (w, h int) {
	region := v.region(b)
	return fit(region.Dx(), region.Dy(), v.Width, v.Height)
}

func (v View) region(b image.Rectangle) image.Rectangle {
	if r := v.Region.Intersect(b); !r.Empty() {
		return r
	}
	return b
}

// Scale gives a view of an image: as large as fits, never larger than the
// region is where Width and Height are 0. Beyond the result it holds a few rows.
// It ends with ctx.
func Scale(ctx context.Context, img image.Image, v View) (image.Image, error) {
	region := v.region(img.Bounds())
	w, h := v.Size(img.Bounds())
	if region == img.Bounds() && w == region.Dx() && h == region.Dy() && !v.FlipX && !v.FlipY {
		return img, nil
	}

	to := canvas(img, w, h)
	columns, rows := triangles(region.Dx(), w), triangles(region.Dy(), h)
	s := scaler{from: img, region: region, columns: columns, channels: 3}
	if _, gray := img.(*image.Gray); gray {
		s.channels = 1
	}
	s.sum = make([]float32, region.Dx()*s.channels)
	s.row = make([]byte, region.Dx()*s.channels)

	for y := range h {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}

		at := y
		if v.FlipY {
			at = h - 1 - y
		}
		s.line(to, at, rows[y], v.FlipX)
	}
	return to, nil
}

// fit is the largest size of the same proportions within most.
func fit(w, h, mostW, mostH int) (int, int) {
	if mostW <= 0 || mostH <= 0 {
		return w, h
	}
	if w*mostH > h*mostW {
		return mostW, max(h*mostW/w, 1)
	}
	return max(w*mostH/h, 1), mostH
}

// canvas is an empty image of the same kind.
func canvas(like image.Image, w, h int) stddraw.Image {
	if _, ok := like.(*image.Gray); ok {
		return image.NewGray(image.Rect(0, 0, w, h))
	}
	return image.NewRGBA(image.Rect(0, 0, w, h))
}

// weights are what the samples from first on add to one of the result.
type weights struct {
	first int
	of    []float32
}

// triangles are the weights of a bilinear filter from n samples to m; those of
// one sample sum up to 1. A filter that makes the picture smaller is so wide that
// every sample counts.
func triangles(n, m int) []weights {
	out := make([]weights, m)
	scale := float64(n) / float64(m)
	reach := max(scale, 1)

	for i := range out {
		centre := (float64(i)+0.5)*scale - 0.5
		from := max(int(math.Ceil(centre-reach)), 0)
		to := min(int(math.Floor(centre+reach)), n-1)
		w := weights{first: from, of: make([]float32, 0, to-from+1)}

		total := 0.0
		for k := from; k <= to; k++ {
			weight := max(1-math.Abs(float64(k)-centre)/reach, 0)
			total += weight
			w.of = append(w.of, float32(weight))
		}

		for k := range w.of {
			w.of[k] /= float32(total)
		}

		out[i] = w
	}
	return out
}

// scaler makes the rows of the result one after the other.
type scaler struct {
	from     image.Image
	region   image.Rectangle
	columns  []weights
	channels int
	row      []byte    // of from
	sum      []float32 // of rows, by their weights
}

// line makes row y of the result out of the rows with the given weights.
func (s *scaler) line(to stddraw.Image, y int, rows weights, flip bool) {
	clear(s.sum)
	for k, weight := range rows.of {
		if weight == 0 {
			continue
		}
		s.read(s.region.Min.Y + rows.first + k)
		for i, v := range s.row {
			s.sum[i] += weight * float32(v)
		}
	}

	for x, w := range s.columns {
		if flip {
			x = len(s.columns) - 1 - x
		}

		switch to := to.(type) {
		case *image.Gray:
			to.Pix[y*to.Stride+x] = s.sample(w, 0)
		case *image.RGBA:
			copy(to.Pix[y*to.Stride+4*x:], []byte{s.sample(w, 0), s.sample(w, 1), s.sample(w, 2), 0xFF})
		}
	}
}

// sample is one channel of one pixel of the result.
func (s *scaler) sample(w weights, channel int) byte {
	var v float32
	at := w.first*s.channels + channel
	for _, weight := range w.of {
		v += weight * s.sum[at]
		at += s.channels
	}
	return byte(min(max(v+0.5, 0), 255))
}

// read fills row with the samples of row y of the image.
func (s *scaler) read(y int) {
	x0 := s.region.Min.X
	n := s.region.Dx()

	switch m := s.from.(type) {
	case *image.Gray:
		copy(s.row, m.Pix[m.PixOffset(x0, y):][:n])
	case *image.NRGBA: // opaque
		p := m.Pix[m.PixOffset(x0, y):]
		for i := range n {
			copy(s.row[3*i:3*i+3], p[4*i:])
		}
	case *image.YCbCr:
		for i := range n {
			yi, ci := m.YOffset(x0+i, y), m.COffset(x0+i, y)
			s.row[3*i], s.row[3*i+1], s.row[3*i+2] = color.YCbCrToRGB(m.Y[yi], m.Cb[ci], m.Cr[ci])
		}
	case *rgb:
		p := m.pix[3*(y*m.w+x0):]
		for i := range n {
			s.row[3*i], s.row[3*i+1], s.row[3*i+2] = m.toRGB(p[3*i], p[3*i+1], p[3*i+2])
		}
	default:
		for i := range n {
			r, g, b, _ := m.At(x0+i, y).RGBA()
			s.row[3*i], s.row[3*i+1], s.row[3*i+2] = byte(r>>8), byte(g>>8), byte(b>>8)
		}
	}
}
