package pixel

import (
	"image"
	stddraw "image/draw"

	"golang.org/x/image/draw"
)

// View is what of an image is shown, and how large (PS3.18 8.3.5.1.3).
type View struct {
	Width, Height int             // pixels the result has at most; it keeps the proportions
	Region        image.Rectangle // of the image; empty is the whole
	FlipX, FlipY  bool
}

// Scale gives a view of an image: as large as fits, never larger than the
// region is where Width and Height are 0.
func Scale(img image.Image, v View) image.Image {
	region := v.Region.Intersect(img.Bounds())
	if region.Empty() {
		region = img.Bounds()
	}
	w, h := fit(region.Dx(), region.Dy(), v.Width, v.Height)
	out := img
	if region != img.Bounds() || w != region.Dx() || h != region.Dy() {
		to := canvas(img, w, h)
		draw.BiLinear.Scale(to, to.Bounds(), img, region, draw.Src, nil)
		out = to
	}
	if v.FlipX || v.FlipY {
		return flip(out, v.FlipX, v.FlipY)
	}
	return out
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

func flip(img image.Image, x, y bool) image.Image {
	b := img.Bounds()
	to := canvas(img, b.Dx(), b.Dy())
	for j := range b.Dy() {
		for i := range b.Dx() {
			di, dj := i, j
			if x {
				di = b.Dx() - 1 - i
			}
			if y {
				dj = b.Dy() - 1 - j
			}
			to.Set(di, dj, img.At(b.Min.X+i, b.Min.Y+j))
		}
	}
	return to
}
