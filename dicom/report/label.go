package report

// Label is what a line says by itself, whatever the object calls it. It is a word of English, by which others find
// their own.
type Label string

// The labels. NoLabel is for lines that the object names.
const (
	NoLabel       Label = ""
	Completion    Label = "Completion"
	Verification  Label = "Verification"
	VerifiedBy    Label = "Verified by"
	Image         Label = "Image"
	Waveform      Label = "Waveform"
	Object        Label = "Object"
	SeeItem       Label = "See item"
	Region        Label = "Region"
	TimeRange     Label = "Time range"
	Table         Label = "Table"
	Structures    Label = "Structures"
	Contours      Label = "Contours"
	Plan          Label = "Plan"
	Date          Label = "Date"
	Intent        Label = "Intent"
	Approval      Label = "Approval"
	Description   Label = "Description"
	Creator       Label = "Creator"
	Dose          Label = "Prescribed dose"
	FractionGroup Label = "Fraction group"
	Fractions     Label = "Fractions"
	Beams         Label = "Beams"
	Beam          Label = "Beam"
	Radiation     Label = "Radiation"
	Energy        Label = "Energy"
	Gantry        Label = "Gantry angle"
	Meterset      Label = "Meterset"
	ControlPoints Label = "Control points"
	Presentation  Label = "Presentation state"
	AppliesTo     Label = "Applies to"
	Annotation    Label = "Annotation"
	Window        Label = "Window"
)

// Labels lists all labels.
func Labels() []Label {
	return []Label{
		Completion, Verification, VerifiedBy, Image, Waveform, Object, SeeItem, Region, TimeRange, Table, Structures, Contours, Plan, Date, Intent,
		Approval, Description, Creator, Dose, FractionGroup, Fractions, Beams, Beam, Radiation, Energy, Gantry, Meterset, ControlPoints, Presentation,
		AppliesTo, Annotation, Window,
	}
}
