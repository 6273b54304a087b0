package pixel_test

import (
	"context"
	"fmt"
	"image"

	"collimator/dicom"
	"collimator/dicom/pixel"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// twoFrames is an image of two frames of two by two pixels.
func twoFrames() *dicom.DataSet {
	ds := dicom.NewDataSet()
	_ = ds.SetText(tag.PhotometricInterpretation, "MONOCHROME2")
	for t, n := range map[dicom.Tag]int64{
		tag.SamplesPerPixel: 1, tag.NumberOfFrames: 2, tag.Rows: 2, tag.Columns: 2,
		tag.BitsAllocated: 8, tag.BitsStored: 8, tag.HighBit: 7, tag.PixelRepresentation: 0,
	} {
		_ = ds.SetInt(t, n)
	}
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, []byte{0, 10, 20, 30, 40, 50, 60, 70}))
	return ds
}

func ExampleIndex() {
	frames, err := pixel.Index(twoFrames())
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := 1; n <= frames.Len(); n++ {
		b, err := frames.Bytes(n)
		fmt.Println(n, b, err)
	}
	// Output:
	// 1 [0 10 20 30] <nil>
	// 2 [40 50 60 70] <nil>
}

func ExampleRender() {
	o := pixel.RenderOptions{Window: &pixel.Window{Center: 35, Width: 70}}
	picture, err := pixel.Render(context.Background(), twoFrames(), 2, uid.ExplicitVRLittleEndian, o)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(picture.Bounds(), picture.(*image.Gray).Pix[3])
	// Output: (0,0)-(2,2) 255
}
