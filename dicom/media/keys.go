package media

import (
	"strconv"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// need is whether a key has to be in a record (PS3.3 F.5).
type need uint8

const (
	one  need = iota // type 1: with a value
	two              // type 2: there, maybe empty
	some             // type 1C or 3: where the object has it
)

// maker is what stands in a key of type 1 where no element of the object gives it.
type maker uint8

const (
	nothing   maker = iota // the object is left out
	counted                // the number of the record among its neighbours
	midnight               // a time that nobody knows
	unlabeled              // a label that nobody gave
	noID                   // a Patient ID that is that of one study alone
	mime                   // of the kind of document
	modality               // OT, of which PS3.3 C.7.3.1.1.1 says other
)

// key is a key of a record.
type key struct {
	tag  dicom.Tag
	need need
	from []dicom.Tag // taken in its place where the object does not have it
	made maker
}

// Dates and times of an object that stand in for one another: the study began when
// the first thing that is known of it did.
var (
	dates = []dicom.Tag{tag.StudyDate, tag.SeriesDate, tag.AcquisitionDate, tag.ContentDate, tag.InstanceCreationDate}
	times = []dicom.Tag{tag.StudyTime, tag.SeriesTime, tag.AcquisitionTime, tag.ContentTime, tag.InstanceCreationTime}

	number      = key{tag: tag.InstanceNumber, made: counted}
	contentDate = key{tag: tag.ContentDate, from: dates}
	contentTime = key{tag: tag.ContentTime, from: times, made: midnight}
	label       = key{tag: tag.ContentLabel, made: unlabeled}
	description = key{tag: tag.ContentDescription, need: two}
	creator     = key{tag: tag.ContentCreatorName, need: two}
	concept     = key{tag: tag.ConceptNameCodeSequence}
	modifiers   = key{tag: tag.ContentSequence, need: some}
)

// content are the keys of the Content Identification Macro with date and time.
var content = []key{contentDate, contentTime, number, label, description, creator}

// keysOf are the keys of each record type besides Specific Character Set. Types
// without an entry need none.
var keysOf = map[Type][]key{
	Patient: {
		{tag: tag.PatientName, need: two}, {tag: tag.PatientID, made: noID},
		{tag: tag.IssuerOfPatientID, need: some}, {tag: tag.PatientBirthDate, need: some}, {tag: tag.PatientSex, need: some},
	},
	Study: {
		{tag: tag.StudyDate, from: dates}, {tag: tag.StudyTime, from: times, made: midnight},
		{tag: tag.StudyDescription, need: two}, {tag: tag.StudyInstanceUID},
		{tag: tag.StudyID, made: counted}, {tag: tag.AccessionNumber, need: two},
	},
	Series: {
		{tag: tag.Modality, made: modality}, {tag: tag.SeriesInstanceUID}, {tag: tag.SeriesNumber, made: counted},
		{tag: tag.SeriesDescription, need: some},
	},
	Image:  {number},
	RTDose: {number, {tag: tag.DoseSummationType}, {tag: tag.DoseComment, need: some}},
	RTStructureSet: {
		number, {tag: tag.StructureSetLabel, made: unlabeled},
		{tag: tag.StructureSetDate, need: two}, {tag: tag.StructureSetTime, need: two},
	},
	RTPlan: {
		number, {tag: tag.RTPlanLabel, made: unlabeled}, {tag: tag.RTPlanDate, need: two}, {tag: tag.RTPlanTime, need: two},
	},
	RTTreatRecord: {number, {tag: tag.TreatmentDate, need: two}, {tag: tag.TreatmentTime, need: two}},
	Presentation: {
		{tag: tag.PresentationCreationDate, from: dates}, {tag: tag.PresentationCreationTime, from: times, made: midnight},
		number, label, description, creator,
		{tag: tag.ReferencedSeriesSequence, need: some}, {tag: tag.BlendingSequence, need: some},
	},
	Waveform: {number, contentDate, contentTime},
	SRDocument: {
		number, {tag: tag.CompletionFlag}, {tag: tag.VerificationFlag}, contentDate, contentTime,
		{tag: tag.VerificationDateTime, need: some}, concept, modifiers,
	},
	KeyObjectDoc: {number, contentDate, contentTime, concept, modifiers},
	Spectroscopy: {
		{tag: tag.ImageType}, contentDate, contentTime, number, {tag: tag.ReferencedImageEvidenceSequence, need: some},
		{tag: tag.NumberOfFrames}, {tag: tag.Rows}, {tag: tag.Columns}, {tag: tag.DataPointRows}, {tag: tag.DataPointColumns},
	},
	RawData:      {contentDate, contentTime, {tag: tag.InstanceNumber, need: two}},
	Registration: content,
	Fiducial:     content,
	ValueMap:     content,
	Measurement:  content,
	Surface:      content,
	Tract:        content,
	Annotation:   content,
	SurfaceScan:  {contentDate, contentTime},
	Assessment: {
		number, {tag: tag.InstanceCreationDate, from: dates}, {tag: tag.InstanceCreationTime, need: two},
	},
	Radiotherapy: {
		number, {tag: tag.UserContentLabel, need: some}, {tag: tag.UserContentLongLabel, need: some}, description, creator,
	},
	EncapDoc: {
		{tag: tag.ContentDate, need: two}, {tag: tag.ContentTime, need: two}, number, {tag: tag.DocumentTitle, need: two},
		{tag: tag.HL7InstanceIdentifier, need: some}, {tag: tag.ConceptNameCodeSequence, need: two},
		{tag: tag.MIMETypeOfEncapsulatedDocument, made: mime},
	},
	HangingProtocol: {
		{tag: tag.HangingProtocolName}, {tag: tag.HangingProtocolDescription}, {tag: tag.HangingProtocolLevel},
		{tag: tag.HangingProtocolCreator}, {tag: tag.HangingProtocolCreationDateTime},
		{tag: tag.HangingProtocolDefinitionSequence}, {tag: tag.NumberOfPriorsReferenced},
		{tag: tag.HangingProtocolUserIdentificationCodeSequence, need: two},
	},
	Palette: {label, description},
	Implant: {
		{tag: tag.Manufacturer}, {tag: tag.ImplantName}, {tag: tag.ImplantSize, need: some}, {tag: tag.ImplantPartNumber},
	},
	ImplantAssy:  {{tag: tag.ImplantAssemblyTemplateName}, {tag: tag.Manufacturer}, {tag: tag.ProcedureTypeCodeSequence}},
	ImplantGroup: {{tag: tag.ImplantTemplateGroupName}, {tag: tag.ImplantTemplateGroupIssuer}},
	Inventory:    {{tag: tag.ScopeOfInventorySequence, need: some}},
}

// mimeOf are the media types of encapsulated documents.
var mimeOf = map[string]string{
	uid.EncapsulatedPDFStorage: "application/pdf", uid.EncapsulatedCDAStorage: "text/XML",
	uid.EncapsulatedSTLStorage: "model/stl", uid.EncapsulatedOBJStorage: "model/obj", uid.EncapsulatedMTLStorage: "model/mtl",
}

// make is what stands in a key that the object does not have; nothing where it cannot
// be made.
func (m maker) make(object *dicom.DataSet, n int) string {
	switch m {
	case counted:
		return strconv.Itoa(n)
	case midnight:
		return "000000"
	case unlabeled:
		return "UNLABELED"
	case noID:
		return "NOID-" + digest(object.Text(tag.StudyInstanceUID))
	case mime:
		return mimeOf[object.Text(tag.SOPClassUID)]
	case modality:
		return "OT"
	}
	return ""
}
