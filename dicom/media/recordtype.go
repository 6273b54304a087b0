package media

import (
	"strings"

	"collimator/dicom/uid"
)

// Type is a Directory Record Type (PS3.3 F.4); empty for one that is not known.
type Type string

// The record types of PS3.3 F.4.
const (
	Patient         Type = "PATIENT"
	Study           Type = "STUDY"
	Series          Type = "SERIES"
	Image           Type = "IMAGE"
	RTDose          Type = "RT DOSE"
	RTStructureSet  Type = "RT STRUCTURE SET"
	RTPlan          Type = "RT PLAN"
	RTTreatRecord   Type = "RT TREAT RECORD"
	Presentation    Type = "PRESENTATION"
	Waveform        Type = "WAVEFORM"
	SRDocument      Type = "SR DOCUMENT"
	KeyObjectDoc    Type = "KEY OBJECT DOC"
	Spectroscopy    Type = "SPECTROSCOPY"
	RawData         Type = "RAW DATA"
	Registration    Type = "REGISTRATION"
	Fiducial        Type = "FIDUCIAL"
	HangingProtocol Type = "HANGING PROTOCOL"
	EncapDoc        Type = "ENCAP DOC"
	ValueMap        Type = "VALUE MAP"
	Stereometric    Type = "STEREOMETRIC"
	Palette         Type = "PALETTE"
	Implant         Type = "IMPLANT"
	ImplantAssy     Type = "IMPLANT ASSY"
	ImplantGroup    Type = "IMPLANT GROUP"
	Plan            Type = "PLAN"
	Measurement     Type = "MEASUREMENT"
	Surface         Type = "SURFACE"
	SurfaceScan     Type = "SURFACE SCAN"
	Tract           Type = "TRACT"
	Assessment      Type = "ASSESSMENT"
	Radiotherapy    Type = "RADIOTHERAPY"
	Annotation      Type = "ANNOTATION"
	Inventory       Type = "INVENTORY"
	Private         Type = "PRIVATE"
)

// Levels of records. One of level anywhere may stand below any other.
const (
	anywhere = iota
	patientLevel
	studyLevel
	seriesLevel
	instanceLevel
)

// recordType is a type, where it stands, and whether it stands directly below the
// root though it is none of a patient.
type recordType struct {
	name    Type
	level   int
	retired bool
}

// recordTypes are all of PS3.3 F.4, the retired ones too. The first is a type that
// nobody knows.
var recordTypes = [...]recordType{
	{"", anywhere, false},
	{Patient, patientLevel, false},
	{Study, studyLevel, false},
	{Series, seriesLevel, false},
	{Image, instanceLevel, false},
	{RTDose, instanceLevel, false},
	{RTStructureSet, instanceLevel, false},
	{RTPlan, instanceLevel, false},
	{RTTreatRecord, instanceLevel, false},
	{Presentation, instanceLevel, false},
	{Waveform, instanceLevel, false},
	{SRDocument, instanceLevel, false},
	{KeyObjectDoc, instanceLevel, false},
	{Spectroscopy, instanceLevel, false},
	{RawData, instanceLevel, false},
	{Registration, instanceLevel, false},
	{Fiducial, instanceLevel, false},
	{EncapDoc, instanceLevel, false},
	{ValueMap, instanceLevel, false},
	{Stereometric, instanceLevel, false},
	{Plan, instanceLevel, false},
	{Measurement, instanceLevel, false},
	{Surface, instanceLevel, false},
	{SurfaceScan, instanceLevel, false},
	{Tract, instanceLevel, false},
	{Assessment, instanceLevel, false},
	{Radiotherapy, instanceLevel, false},
	{Annotation, instanceLevel, false},
	{HangingProtocol, patientLevel, false},
	{Palette, patientLevel, false},
	{Implant, patientLevel, false},
	{ImplantAssy, patientLevel, false},
	{ImplantGroup, patientLevel, false},
	{Inventory, patientLevel, false},
	{Private, anywhere, false},

	{"HL7 STRUC DOC", studyLevel, true},
	{"MRDR", anywhere, true},
	{"TOPIC", patientLevel, true},
	{"PRINT QUEUE", patientLevel, true},
	{"FILM SESSION", anywhere, true},
	{"FILM BOX", anywhere, true},
	{"BASIC FILM BOX", anywhere, true},
	{"IMAGE BOX", anywhere, true},
	{"VISIT", studyLevel, true},
	{"RESULTS", studyLevel, true},
	{"INTERPRETATION", seriesLevel, true},
	{"STUDY COMPONENT", seriesLevel, true},
	{"OVERLAY", instanceLevel, true},
	{"MODALITY LUT", instanceLevel, true},
	{"VOI LUT", instanceLevel, true},
	{"CURVE", instanceLevel, true},
	{"STORED PRINT", instanceLevel, true},
}

// typeIndex is where a type stands in recordTypes; 0 for one that is not known.
func typeIndex(name string) uint8 {
	for i := 1; i < len(recordTypes); i++ {
		if string(recordTypes[i].name) == name {
			return uint8(i)
		}
	}
	return 0
}

// leafOfClass are the record types of SOP Classes that are not images. Classes of
// one kind that the standard gets more of are in TypeOf.
var leafOfClass = map[string]Type{
	uid.RTDoseStorage:                                           RTDose,
	uid.RTStructureSetStorage:                                   RTStructureSet,
	uid.RTPlanStorage:                                           RTPlan,
	uid.RTIonPlanStorage:                                        RTPlan,
	uid.RTBeamsTreatmentRecordStorage:                           RTTreatRecord,
	uid.RTBrachyTreatmentRecordStorage:                          RTTreatRecord,
	uid.RTTreatmentSummaryRecordStorage:                         RTTreatRecord,
	uid.RTIonBeamsTreatmentRecordStorage:                        RTTreatRecord,
	uid.BasicStructuredDisplayStorage:                           Presentation,
	uid.KeyObjectSelectionDocumentStorage:                       KeyObjectDoc,
	uid.SpectaclePrescriptionReportStorage:                      SRDocument,
	uid.MacularGridThicknessAndVolumeReport:                     SRDocument,
	uid.MRSpectroscopyStorage:                                   Spectroscopy,
	uid.RawDataStorage:                                          RawData,
	uid.SpatialRegistrationStorage:                              Registration,
	uid.DeformableSpatialRegistrationStorage:                    Registration,
	uid.SpatialFiducialsStorage:                                 Fiducial,
	uid.RealWorldValueMappingStorage:                            ValueMap,
	uid.StereometricRelationshipStorage:                         Stereometric,
	uid.LensometryMeasurementsStorage:                           Measurement,
	uid.AutorefractionMeasurementsStorage:                       Measurement,
	uid.KeratometryMeasurementsStorage:                          Measurement,
	uid.SubjectiveRefractionMeasurementsStorage:                 Measurement,
	uid.VisualAcuityMeasurementsStorage:                         Measurement,
	uid.OphthalmicAxialMeasurementsStorage:                      Measurement,
	uid.OphthalmicVisualFieldStaticPerimetryMeasurementsStorage: Measurement,
	uid.SurfaceSegmentationStorage:                              Surface,
	uid.SurfaceScanMeshStorage:                                  SurfaceScan,
	uid.SurfaceScanPointCloudStorage:                            SurfaceScan,
	uid.TractographyResultsStorage:                              Tract,
	uid.ContentAssessmentResultsStorage:                         Assessment,
	uid.MicroscopyBulkSimpleAnnotationsStorage:                  Annotation,
	uid.RTBeamsDeliveryInstructionStorage:                       Plan,
	uid.RTBrachyApplicationSetupDeliveryInstructionStorage:      Plan,
	uid.HangingProtocolStorage:                                  HangingProtocol,
	uid.ColorPaletteStorage:                                     Palette,
	uid.GenericImplantTemplateStorage:                           Implant,
	uid.ImplantAssemblyTemplateStorage:                          ImplantAssy,
	uid.ImplantTemplateGroupStorage:                             ImplantGroup,
	uid.InventoryStorage:                                        Inventory,
	uid.RTPhysicianIntentStorage:                                Radiotherapy,
	uid.RTSegmentAnnotationStorage:                              Radiotherapy,
	uid.RTRadiationSetStorage:                                   Radiotherapy,
	uid.CArmPhotonElectronRadiationStorage:                      Radiotherapy,
	uid.TomotherapeuticRadiationStorage:                         Radiotherapy,
	uid.RoboticArmRadiationStorage:                              Radiotherapy,
	uid.RTRadiationRecordSetStorage:                             Radiotherapy,
	uid.RTRadiationSalvageRecordStorage:                         Radiotherapy,
	uid.TomotherapeuticRadiationRecordStorage:                   Radiotherapy,
	uid.CArmPhotonElectronRadiationRecordStorage:                Radiotherapy,
	uid.RoboticRadiationRecordStorage:                           Radiotherapy,
	uid.RTRadiationSetDeliveryInstructionStorage:                Radiotherapy,
	uid.RTTreatmentPreparationStorage:                           Radiotherapy,
	uid.RTPatientPositionAcquisitionInstructionStorage:          Radiotherapy,
}

// families are SOP Classes that share the beginning of their UID and a record type.
var families = []struct {
	prefix string
	leaf   Type
}{
	{"1.2.840.10008.5.1.4.1.1.11.", Presentation},
	{"1.2.840.10008.5.1.4.1.1.9.", Waveform},
	{"1.2.840.10008.5.1.4.1.1.88.", SRDocument},
	{"1.2.840.10008.5.1.4.1.1.104.", EncapDoc},
}

// TypeOf is the record type of objects of a SOP Class below a series, or below the
// root where the class is of no patient. What is not known is an image.
func TypeOf(sopClassUID string) Type {
	if leaf, ok := leafOfClass[sopClassUID]; ok {
		return leaf
	}
	for _, f := range families {
		if strings.HasPrefix(sopClassUID, f.prefix) {
			return f.leaf
		}
	}
	return Image
}

// lower is a type as a word in a sentence.
func lower(t Type) string { return strings.ToLower(string(t)) }
