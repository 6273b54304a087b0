package deid

import (
	"strings"

	"collimator/dicom"
)

// safeElement is a private attribute without a patient's identity: element is
// its number within the block of creator.
type safeElement struct {
	creator string
	group   uint16
	element uint16
	vr      dicom.VR
}

// safeElements are the numbers among the attributes of PS3.15 E.3.10. What the
// standard lists beyond them, text and sequences above all, is removed.
var safeElements = map[safeElement]bool{
	{"Philips PET Private Group", 0x7053, 0x00, dicom.DS}: true, // SUV factor
	{"Philips PET Private Group", 0x7053, 0x09, dicom.DS}: true, // activity concentration factor
	{"Philips Imaging DD 001", 0x2001, 0x03, dicom.FL}:    true, // diffusion b-factor
	{"SIEMENS MR HEADER", 0x0019, 0x0C, dicom.IS}:         true, // b-value
	{"SIEMENS MR HEADER", 0x0019, 0x0E, dicom.FD}:         true, // diffusion gradient direction
	{"SIEMENS MR HEADER", 0x0019, 0x27, dicom.FD}:         true, // b-matrix
	{"GEMS_ACQU_01", 0x0019, 0x23, dicom.DS}:              true, // table speed
	{"GEMS_ACQU_01", 0x0019, 0x24, dicom.DS}:              true, // mid scan time
	{"GEMS_ACQU_01", 0x0019, 0x27, dicom.DS}:              true, // rotation speed
	{"GEMS_PARM_01", 0x0043, 0x39, dicom.IS}:              true, // b-value
	{"GEMS_HELIOS_01", 0x0045, 0x01, dicom.SS}:            true, // macro rows in detector
	{"GEMS_HELIOS_01", 0x0045, 0x02, dicom.FL}:            true, // macro width at isocenter
}

// safeBlocks is the private elements of ds that may stay, with the elements
// that reserve their blocks (PS3.5 7.8.1). One whose VR is not as listed may
// not: there is no telling what it is.
func (s *session) safeBlocks(ds *dicom.DataSet) map[dicom.Tag]bool {
	if !s.profile.RetainSafePrivate {
		return nil
	}

	out := map[dicom.Tag]bool{}
	for el := range ds.All() {
		c := el.Tag.Creator()
		if c == 0 || !el.VR.Known() || el.Sequence() {
			continue
		}

		name := strings.TrimSpace(ds.Text(c))
		listed := safeElements[safeElement{name, el.Tag.Group(), el.Tag.Element() & 0xFF, el.VR}]
		if listed && (el.VR != dicom.IS && el.VR != dicom.DS || el.Floats() != nil) {
			out[el.Tag] = true
			out[c] = true
		}
	}
	return out
}
