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

// recordType is a type and where it stands.
type recordType struct {
	name  Type
	level int
}

// recordTypes are all of PS3.3 F.4, the retired ones too. The first is a type that
// nobody knows.
var recordTypes = [...]recordType{
	{"", anywhere},
	{Patient, patientLevel},
	{Study, studyLevel},
	{Series, seriesLevel},
	{Image, instanceLevel},
	{RTDose, instanceLevel},
	{RTStructureSet, instanceLevel},
	{RTPlan, instanceLevel},
	{RTTreatRecord, instanceLevel},
	{Presentation, instanceLevel},
	{Waveform, instanceLevel},
	{SRDocument, instanceLevel},
	{KeyObjectDoc, instanceLevel},
	{Spectroscopy, instanceLevel},
	{RawData, instanceLevel},
	{Registration, instanceLevel},
	{Fiducial, instanceLevel},
	{EncapDoc, instanceLevel},
	{ValueMap, instanceLevel},
	{Stereometric, instanceLevel},
	{Plan, instanceLevel},
	{Measurement, instanceLevel},
	{Surface, instanceLevel},
	{SurfaceScan, instanceLevel},
	{Tract, instanceLevel},
	{Assessment, instanceLevel},
	{Radiotherapy, instanceLevel},
	{Annotation, instanceLevel},
	{HangingProtocol, patientLevel},
	{Palette, patientLevel},
	{Implant, patientLevel},
	{ImplantAssy, patientLevel},
	{ImplantGroup, patientLevel},
	{Inventory, patientLevel},
	{Private, anywhere},

	// Retired, and on old discs.
	{"HL7 STRUC DOC", studyLevel},
	{"MRDR", anywhere},
	{"TOPIC", patientLevel},
	{"PRINT QUEUE", patientLevel},
	{"FILM SESSION", anywhere},
	{"FILM BOX", anywhere},
	{"BASIC FILM BOX", anywhere},
	{"IMAGE BOX", anywhere},
	{"VISIT", studyLevel},
	{"RESULTS", studyLevel},
	{"INTERPRETATION", seriesLevel},
	{"STUDY COMPONENT", seriesLevel},
	{"OVERLAY", instanceLevel},
	{"MODALITY LUT", instanceLevel},
	{"VOI LUT", instanceLevel},
	{"CURVE", instanceLevel},
	{"STORED PRINT", instanceLevel},
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
