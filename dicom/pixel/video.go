package pixel

import (
	"io"

	"collimator/dicom/uid"
)

// Video reports pixel data that are one stream for a video player, MPEG-2,
// MPEG-4 or HEVC (PS3.5 A.4.5 to A.4.8), whatever number of frames is declared:
// Len is 0, and OpenStream gives it. It is known by the transfer syntax in which
// the data set was read.
func (f *Frames) Video() bool { return f.video }

// OpenStream reads the pixel data as one stream, as they stand: of encapsulated
// ones all fragments one after the other, without the offset table.
func (f *Frames) OpenStream() (io.Reader, error) {
	if !f.el.Encapsulated() {
		return f.el.Open()
	}
	return &fragmentReader{el: f.el, next: 0, end: f.el.FragmentCount()}, nil
}

// StreamLength is the bytes that OpenStream gives.
func (f *Frames) StreamLength() int64 {
	if !f.el.Encapsulated() {
		return f.el.ValueLength()
	}
	var total int64
	for i := range f.el.FragmentCount() {
		total += f.el.FragmentLength(i)
	}
	return total
}

// VideoSyntax reports the transfer syntaxes of video.
func VideoSyntax(ts string) bool {
	switch ts {
	case uid.MPEG2MPML, uid.MPEG2MPMLFragmentable, uid.MPEG2MPHL, uid.MPEG2MPHLFragmentable,
		uid.MPEG4HP41, uid.MPEG4HP41Fragmentable, uid.MPEG4HP41BD, uid.MPEG4HP41BDFragmentable,
		uid.MPEG4HP422D, uid.MPEG4HP422DFragmentable, uid.MPEG4HP423D, uid.MPEG4HP423DFragmentable,
		uid.MPEG4HP42STEREO, uid.MPEG4HP42STEREOFragmentable, uid.HEVCMP51, uid.HEVCM10P51:
		return true
	}
	return false
}
