package deid

import (
	"slices"
	"strings"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// inspect finds what the attributes tell of the pixels (PS3.15 E.3.1, E.3.2).
func inspect(ds *dicom.DataSet) []Flag {
	var flags []Flag
	switch ds.Text(tag.BurnedInAnnotation) {
	case "NO":
	case "YES":
		flags = append(flags, BurnedIn)
	default:
		if usuallyBurnedIn(ds) {
			flags = append(flags, BurnedInLikely)
		}
	}

	switch ds.Text(tag.RecognizableVisualFeatures) {
	case "NO":
	case "YES":
		flags = append(flags, VisualFeatures)
	default:
		if showsFace(ds) {
			flags = append(flags, VisualFeaturesHead)
		}
	}

	if holdsDocument(ds) {
		flags = append(flags, Document)
	}

	if overlayInPixels(ds) {
		flags = append(flags, OverlayInPixels)
	}
	return flags
}

// burningClasses begin the UIDs of objects that usually show text: secondary
// capture, ultrasound, video.
var burningClasses = []string{
	uid.SecondaryCaptureImageStorage, uid.RetiredUltrasoundImageStorage, uid.RetiredUltrasoundMultiFrameImageStorage,
	uid.VideoEndoscopicImageStorage, uid.VideoMicroscopicImageStorage, uid.VideoPhotographicImageStorage,
}

// usuallyBurnedIn reports an image of a kind that often shows its patient's
// name: by class, modality, way of digitising, or as a picture of a screen.
func usuallyBurnedIn(ds *dicom.DataSet) bool {
	if !hasPixels(ds) {
		return false
	}

	class := ds.Text(tag.SOPClassUID)
	for _, c := range burningClasses {
		if class == c || strings.HasPrefix(class, c+".") {
			return true
		}
	}

	modality := ds.Text(tag.Modality)
	if slices.Contains([]string{"US", "IVUS", "ES", "OT", "SC", "DOC", "HC"}, modality) || !ds.Has(tag.SOPClassUID) {
		return true
	}
	if ds.Text(tag.ConversionType) != "" || ds.Text(tag.SecondaryCaptureDeviceID) != "" {
		return true
	}

	kinds := ds.Texts(tag.ImageType)
	if len(kinds) > 1 && kinds[1] == "SECONDARY" && slices.Contains([]string{"XA", "RF", "DX", "CR", "MG", "PX", "IO"}, modality) {
		return true
	}

	for _, k := range kinds {
		if slices.Contains([]string{"LABEL", "OVERVIEW", "SCREEN SAVE", "SCREENSAVE", "DOSE_INFO", "PROTOCOL"}, strings.ToUpper(k)) {
			return true
		}
	}
	return false
}

func hasPixels(ds *dicom.DataSet) bool {
	return ds.Has(tag.PixelData) || ds.Has(tag.FloatPixelData) || ds.Has(tag.DoubleFloatPixelData) || ds.Has(tag.PixelDataProviderURL)
}

// showsFace reports slices of a head, from which a face can be computed, and
// photographs.
func showsFace(ds *dicom.DataSet) bool {
	if !hasPixels(ds) {
		return false
	}

	switch ds.Text(tag.Modality) {
	case "XC":
		return true
	case "CT", "MR", "PT":
		part := strings.ToUpper(ds.Text(tag.BodyPartExamined))
		return slices.Contains([]string{
			"HEAD", "FACE", "SKULL", "BRAIN", "HEADNECK", "ORBIT", "SINUS", "MAXILLA", "JAW", "WHOLEBODY",
		}, part)
	}
	return false
}

func holdsDocument(ds *dicom.DataSet) bool {
	el, ok := ds.Get(tag.EncapsulatedDocument)
	return ok && !(el.Empty() || el.ValueLength() <= 2 && isZero(el.Bytes()))
}

func isZero(b []byte) bool {
	return b != nil && !slices.ContainsFunc(b, func(c byte) bool { return c != 0 })
}

// overlayInPixels reports an overlay without data of its own (PS3.3 C.9).
func overlayInPixels(ds *dicom.DataSet) bool {
	for el := range ds.All() {
		if el.Tag.Group()&0xFF00 == 0x6000 && el.Tag.Element() == 0x0010 && !ds.Has(tag.New(el.Tag.Group(), 0x3000)) {
			return true
		}
	}
	return false
}

// refuses is the flags for which p does not let ds pass.
func (p Profile) refuses(flags []Flag, ds *dicom.DataSet) []Flag {
	var out []Flag
	for _, f := range flags {
		switch {
		case (f == BurnedIn || f == BurnedInLikely || f == OverlayInPixels) && (!p.InsecureAllowBurnedIn || p.CleanPixelData),
			(f == VisualFeatures || f == VisualFeaturesHead) && p.CleanRecognizableVisualFeatures,
			f == Document && !p.RemoveDocuments:
			out = append(out, f)
		}
	}

	if p.CleanPixelData && len(out) == 0 && hasPixels(ds) && ds.Text(tag.BurnedInAnnotation) != "NO" {
		out = append(out, BurnedInLikely)
	}
	return out
}
