package uid

// This file names the SOP Classes of services beside storage and query/retrieve
// of images, and their well-known SOP Instances (PS3.6 A). The constants leave out
// what the names of a service have in common: Meta SOP Class, Information Model.

// Print management and media creation.
const (
	BasicFilmSession                      = "1.2.840.10008.5.1.1.1"
	BasicFilmBox                          = "1.2.840.10008.5.1.1.2"
	BasicGrayscaleImageBox                = "1.2.840.10008.5.1.1.4"
	BasicColorImageBox                    = "1.2.840.10008.5.1.1.4.1"
	BasicGrayscalePrintManagement         = "1.2.840.10008.5.1.1.9"
	PrintJob                              = "1.2.840.10008.5.1.1.14"
	BasicAnnotationBox                    = "1.2.840.10008.5.1.1.15"
	Printer                               = "1.2.840.10008.5.1.1.16"
	PrinterConfigurationRetrieval         = "1.2.840.10008.5.1.1.16.376"
	PrinterInstance                       = "1.2.840.10008.5.1.1.17"
	PrinterConfigurationRetrievalInstance = "1.2.840.10008.5.1.1.17.376"
	BasicColorPrintManagement             = "1.2.840.10008.5.1.1.18"
	VOILUTBox                             = "1.2.840.10008.5.1.1.22"
	PresentationLUT                       = "1.2.840.10008.5.1.1.23"
	PullStoredPrintManagement             = "1.2.840.10008.5.1.1.32"
	MediaCreationManagement               = "1.2.840.10008.5.1.1.33"
	DisplaySystem                         = "1.2.840.10008.5.1.1.40"
	DisplaySystemInstance                 = "1.2.840.10008.5.1.1.40.1"
)

// Procedure steps, worklists and notifications.
const (
	ModalityPerformedProcedureStepRetrieve     = "1.2.840.10008.3.1.2.3.4"
	ModalityPerformedProcedureStepNotification = "1.2.840.10008.3.1.2.3.5"
	ProceduralEventLogging                     = "1.2.840.10008.1.40"
	ProceduralEventLoggingInstance             = "1.2.840.10008.1.40.1"
	SubstanceAdministrationLogging             = "1.2.840.10008.1.42"
	SubstanceAdministrationLoggingInstance     = "1.2.840.10008.1.42.1"
	InstanceAvailabilityNotification           = "1.2.840.10008.5.1.4.33"
	UnifiedProcedureStepPush                   = "1.2.840.10008.5.1.4.34.6.1"
	UnifiedProcedureStepWatch                  = "1.2.840.10008.5.1.4.34.6.2"
	UnifiedProcedureStepPull                   = "1.2.840.10008.5.1.4.34.6.3"
	UnifiedProcedureStepEvent                  = "1.2.840.10008.5.1.4.34.6.4"
	UnifiedProcedureStepQuery                  = "1.2.840.10008.5.1.4.34.6.5"
	UPSGlobalSubscriptionInstance              = "1.2.840.10008.5.1.4.34.5"
	UPSFilteredGlobalSubscriptionInstance      = "1.2.840.10008.5.1.4.34.5.1"
	RTConventionalMachineVerification          = "1.2.840.10008.5.1.4.34.8"
	RTIonMachineVerification                   = "1.2.840.10008.5.1.4.34.9"
)

// Queries and retrievals of other information models.
const (
	PatientStudyOnlyFind                         = "1.2.840.10008.5.1.4.1.2.3.1"
	PatientStudyOnlyMove                         = "1.2.840.10008.5.1.4.1.2.3.2"
	PatientStudyOnlyGet                          = "1.2.840.10008.5.1.4.1.2.3.3"
	CompositeInstanceRootMove                    = "1.2.840.10008.5.1.4.1.2.4.2"
	CompositeInstanceRootGet                     = "1.2.840.10008.5.1.4.1.2.4.3"
	CompositeInstanceGetWithoutBulkData          = "1.2.840.10008.5.1.4.1.2.5.3"
	DefinedProcedureProtocolFind                 = "1.2.840.10008.5.1.4.20.1"
	DefinedProcedureProtocolMove                 = "1.2.840.10008.5.1.4.20.2"
	DefinedProcedureProtocolGet                  = "1.2.840.10008.5.1.4.20.3"
	ProtocolApprovalFind                         = "1.2.840.10008.5.1.4.1.1.200.4"
	ProtocolApprovalMove                         = "1.2.840.10008.5.1.4.1.1.200.5"
	ProtocolApprovalGet                          = "1.2.840.10008.5.1.4.1.1.200.6"
	GeneralRelevantPatientInformationQuery       = "1.2.840.10008.5.1.4.37.1"
	BreastImagingRelevantPatientInformationQuery = "1.2.840.10008.5.1.4.37.2"
	CardiacRelevantPatientInformationQuery       = "1.2.840.10008.5.1.4.37.3"
	HangingProtocolFind                          = "1.2.840.10008.5.1.4.38.2"
	HangingProtocolMove                          = "1.2.840.10008.5.1.4.38.3"
	HangingProtocolGet                           = "1.2.840.10008.5.1.4.38.4"
	ColorPaletteFind                             = "1.2.840.10008.5.1.4.39.2"
	ColorPaletteMove                             = "1.2.840.10008.5.1.4.39.3"
	ColorPaletteGet                              = "1.2.840.10008.5.1.4.39.4"
	ProductCharacteristicsQuery                  = "1.2.840.10008.5.1.4.41"
	SubstanceApprovalQuery                       = "1.2.840.10008.5.1.4.42"
	GenericImplantTemplateFind                   = "1.2.840.10008.5.1.4.43.2"
	GenericImplantTemplateMove                   = "1.2.840.10008.5.1.4.43.3"
	GenericImplantTemplateGet                    = "1.2.840.10008.5.1.4.43.4"
	ImplantAssemblyTemplateFind                  = "1.2.840.10008.5.1.4.44.2"
	ImplantAssemblyTemplateMove                  = "1.2.840.10008.5.1.4.44.3"
	ImplantAssemblyTemplateGet                   = "1.2.840.10008.5.1.4.44.4"
	ImplantTemplateGroupFind                     = "1.2.840.10008.5.1.4.45.2"
	ImplantTemplateGroupMove                     = "1.2.840.10008.5.1.4.45.3"
	ImplantTemplateGroupGet                      = "1.2.840.10008.5.1.4.45.4"
)

// Retired storage classes that equipment still sends.
const (
	RetiredUltrasoundMultiFrameImageStorage = "1.2.840.10008.5.1.4.1.1.3"
	RetiredNuclearMedicineImageStorage      = "1.2.840.10008.5.1.4.1.1.5"
	RetiredUltrasoundImageStorage           = "1.2.840.10008.5.1.4.1.1.6"
)

// services are their names.
var services = map[string]string{
	BasicFilmSession:                             "Basic Film Session",
	BasicFilmBox:                                 "Basic Film Box",
	BasicGrayscaleImageBox:                       "Basic Grayscale Image Box",
	BasicColorImageBox:                           "Basic Color Image Box",
	BasicGrayscalePrintManagement:                "Basic Grayscale Print Management Meta",
	PrintJob:                                     "Print Job",
	BasicAnnotationBox:                           "Basic Annotation Box",
	Printer:                                      "Printer",
	PrinterConfigurationRetrieval:                "Printer Configuration Retrieval",
	PrinterInstance:                              "Printer Instance",
	PrinterConfigurationRetrievalInstance:        "Printer Configuration Retrieval Instance",
	BasicColorPrintManagement:                    "Basic Color Print Management Meta",
	VOILUTBox:                                    "VOI LUT Box",
	PresentationLUT:                              "Presentation LUT",
	PullStoredPrintManagement:                    "Pull Stored Print Management Meta (Retired)",
	MediaCreationManagement:                      "Media Creation Management",
	DisplaySystem:                                "Display System",
	DisplaySystemInstance:                        "Display System Instance",
	ModalityPerformedProcedureStepRetrieve:       "Modality Performed Procedure Step Retrieve",
	ModalityPerformedProcedureStepNotification:   "Modality Performed Procedure Step Notification",
	ProceduralEventLogging:                       "Procedural Event Logging",
	ProceduralEventLoggingInstance:               "Procedural Event Logging Instance",
	SubstanceAdministrationLogging:               "Substance Administration Logging",
	SubstanceAdministrationLoggingInstance:       "Substance Administration Logging Instance",
	InstanceAvailabilityNotification:             "Instance Availability Notification",
	UnifiedProcedureStepPush:                     "Unified Procedure Step - Push",
	UnifiedProcedureStepWatch:                    "Unified Procedure Step - Watch",
	UnifiedProcedureStepPull:                     "Unified Procedure Step - Pull",
	UnifiedProcedureStepEvent:                    "Unified Procedure Step - Event",
	UnifiedProcedureStepQuery:                    "Unified Procedure Step - Query",
	UPSGlobalSubscriptionInstance:                "UPS Global Subscription Instance",
	UPSFilteredGlobalSubscriptionInstance:        "UPS Filtered Global Subscription Instance",
	RTConventionalMachineVerification:            "RT Conventional Machine Verification",
	RTIonMachineVerification:                     "RT Ion Machine Verification",
	PatientStudyOnlyFind:                         "Patient/Study Only Query/Retrieve - FIND (Retired)",
	PatientStudyOnlyMove:                         "Patient/Study Only Query/Retrieve - MOVE (Retired)",
	PatientStudyOnlyGet:                          "Patient/Study Only Query/Retrieve - GET (Retired)",
	CompositeInstanceRootMove:                    "Composite Instance Root Retrieve - MOVE",
	CompositeInstanceRootGet:                     "Composite Instance Root Retrieve - GET",
	CompositeInstanceGetWithoutBulkData:          "Composite Instance Retrieve Without Bulk Data - GET",
	DefinedProcedureProtocolFind:                 "Defined Procedure Protocol - FIND",
	DefinedProcedureProtocolMove:                 "Defined Procedure Protocol - MOVE",
	DefinedProcedureProtocolGet:                  "Defined Procedure Protocol - GET",
	ProtocolApprovalFind:                         "Protocol Approval - FIND",
	ProtocolApprovalMove:                         "Protocol Approval - MOVE",
	ProtocolApprovalGet:                          "Protocol Approval - GET",
	GeneralRelevantPatientInformationQuery:       "General Relevant Patient Information Query",
	BreastImagingRelevantPatientInformationQuery: "Breast Imaging Relevant Patient Information Query",
	CardiacRelevantPatientInformationQuery:       "Cardiac Relevant Patient Information Query",
	HangingProtocolFind:                          "Hanging Protocol - FIND",
	HangingProtocolMove:                          "Hanging Protocol - MOVE",
	HangingProtocolGet:                           "Hanging Protocol - GET",
	ColorPaletteFind:                             "Color Palette - FIND",
	ColorPaletteMove:                             "Color Palette - MOVE",
	ColorPaletteGet:                              "Color Palette - GET",
	ProductCharacteristicsQuery:                  "Product Characteristics Query",
	SubstanceApprovalQuery:                       "Substance Approval Query",
	GenericImplantTemplateFind:                   "Generic Implant Template - FIND",
	GenericImplantTemplateMove:                   "Generic Implant Template - MOVE",
	GenericImplantTemplateGet:                    "Generic Implant Template - GET",
	ImplantAssemblyTemplateFind:                  "Implant Assembly Template - FIND",
	ImplantAssemblyTemplateMove:                  "Implant Assembly Template - MOVE",
	ImplantAssemblyTemplateGet:                   "Implant Assembly Template - GET",
	ImplantTemplateGroupFind:                     "Implant Template Group - FIND",
	ImplantTemplateGroupMove:                     "Implant Template Group - MOVE",
	ImplantTemplateGroupGet:                      "Implant Template Group - GET",
	RetiredUltrasoundMultiFrameImageStorage:      "Ultrasound Multi-frame Image Storage (Retired)",
	RetiredNuclearMedicineImageStorage:           "Nuclear Medicine Image Storage (Retired)",
	RetiredUltrasoundImageStorage:                "Ultrasound Image Storage (Retired)",
}
