package uid

// Transfer syntaxes (PS3.5 10, PS3.6 A).
const (
	ImplicitVRLittleEndian         = "1.2.840.10008.1.2"
	ExplicitVRLittleEndian         = "1.2.840.10008.1.2.1"
	EncapsulatedUncompressed       = "1.2.840.10008.1.2.1.98"
	DeflatedExplicitVRLittleEndian = "1.2.840.10008.1.2.1.99"
	ExplicitVRBigEndian            = "1.2.840.10008.1.2.2"
	JPEGBaseline8Bit               = "1.2.840.10008.1.2.4.50"
	JPEGExtended12Bit              = "1.2.840.10008.1.2.4.51"
	JPEGSpectralSelection          = "1.2.840.10008.1.2.4.53"
	JPEGFullProgression            = "1.2.840.10008.1.2.4.55"
	JPEGLossless                   = "1.2.840.10008.1.2.4.57"
	JPEGLosslessSV1                = "1.2.840.10008.1.2.4.70"
	JPEGLSLossless                 = "1.2.840.10008.1.2.4.80"
	JPEGLSNearLossless             = "1.2.840.10008.1.2.4.81"
	JPEG2000Lossless               = "1.2.840.10008.1.2.4.90"
	JPEG2000                       = "1.2.840.10008.1.2.4.91"
	JPEG2000MCLossless             = "1.2.840.10008.1.2.4.92"
	JPEG2000MC                     = "1.2.840.10008.1.2.4.93"
	JPIPReferenced                 = "1.2.840.10008.1.2.4.94"
	JPIPReferencedDeflate          = "1.2.840.10008.1.2.4.95"
	MPEG2MPML                      = "1.2.840.10008.1.2.4.100"
	MPEG2MPMLFragmentable          = "1.2.840.10008.1.2.4.100.1"
	MPEG2MPHL                      = "1.2.840.10008.1.2.4.101"
	MPEG2MPHLFragmentable          = "1.2.840.10008.1.2.4.101.1"
	MPEG4HP41                      = "1.2.840.10008.1.2.4.102"
	MPEG4HP41Fragmentable          = "1.2.840.10008.1.2.4.102.1"
	MPEG4HP41BD                    = "1.2.840.10008.1.2.4.103"
	MPEG4HP41BDFragmentable        = "1.2.840.10008.1.2.4.103.1"
	MPEG4HP422D                    = "1.2.840.10008.1.2.4.104"
	MPEG4HP422DFragmentable        = "1.2.840.10008.1.2.4.104.1"
	MPEG4HP423D                    = "1.2.840.10008.1.2.4.105"
	MPEG4HP423DFragmentable        = "1.2.840.10008.1.2.4.105.1"
	MPEG4HP42STEREO                = "1.2.840.10008.1.2.4.106"
	MPEG4HP42STEREOFragmentable    = "1.2.840.10008.1.2.4.106.1"
	HEVCMP51                       = "1.2.840.10008.1.2.4.107"
	HEVCM10P51                     = "1.2.840.10008.1.2.4.108"
	JPEGXLLossless                 = "1.2.840.10008.1.2.4.110"
	JPEGXLJPEGRecompression        = "1.2.840.10008.1.2.4.111"
	JPEGXL                         = "1.2.840.10008.1.2.4.112"
	HTJ2KLossless                  = "1.2.840.10008.1.2.4.201"
	HTJ2KLosslessRPCL              = "1.2.840.10008.1.2.4.202"
	HTJ2K                          = "1.2.840.10008.1.2.4.203"
	JPIPHTJ2KReferenced            = "1.2.840.10008.1.2.4.204"
	JPIPHTJ2KReferencedDeflate     = "1.2.840.10008.1.2.4.205"
	RLELossless                    = "1.2.840.10008.1.2.5"
	DeflatedImageFrame             = "1.2.840.10008.1.2.8.1"
)

// Service classes and their instances (PS3.4, PS3.7).
const (
	ApplicationContext = "1.2.840.10008.3.1.1.1"

	Verification                   = "1.2.840.10008.1.1"
	StorageCommitmentPushModel     = "1.2.840.10008.1.20.1"
	StorageCommitmentPushInstance  = "1.2.840.10008.1.20.1.1"
	ModalityWorklistFind           = "1.2.840.10008.5.1.4.31"
	ModalityPerformedProcedureStep = "1.2.840.10008.3.1.2.3.3"
	MediaStorageDirectory          = "1.2.840.10008.1.3.10"
	PatientRootFind                = "1.2.840.10008.5.1.4.1.2.1.1"
	PatientRootMove                = "1.2.840.10008.5.1.4.1.2.1.2"
	PatientRootGet                 = "1.2.840.10008.5.1.4.1.2.1.3"
	StudyRootFind                  = "1.2.840.10008.5.1.4.1.2.2.1"
	StudyRootMove                  = "1.2.840.10008.5.1.4.1.2.2.2"
	StudyRootGet                   = "1.2.840.10008.5.1.4.1.2.2.3"
)

// names covers what the table of storage classes does not.
var names = map[string]string{
	ImplicitVRLittleEndian:         "Implicit VR Little Endian",
	ExplicitVRLittleEndian:         "Explicit VR Little Endian",
	EncapsulatedUncompressed:       "Encapsulated Uncompressed Explicit VR Little Endian",
	DeflatedExplicitVRLittleEndian: "Deflated Explicit VR Little Endian",
	ExplicitVRBigEndian:            "Explicit VR Big Endian",
	JPEGBaseline8Bit:               "JPEG Baseline (Process 1)",
	JPEGExtended12Bit:              "JPEG Extended (Process 2 and 4)",
	JPEGSpectralSelection:          "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)",
	JPEGFullProgression:            "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)",
	JPEGLossless:                   "JPEG Lossless, Non-Hierarchical (Process 14)",
	JPEGLosslessSV1:                "JPEG Lossless, Non-Hierarchical, First-Order Prediction",
	JPEGLSLossless:                 "JPEG-LS Lossless",
	JPEGLSNearLossless:             "JPEG-LS Lossy (Near-Lossless)",
	JPEG2000Lossless:               "JPEG 2000 (Lossless Only)",
	JPEG2000:                       "JPEG 2000",
	JPEG2000MCLossless:             "JPEG 2000 Part 2 Multi-component (Lossless Only)",
	JPEG2000MC:                     "JPEG 2000 Part 2 Multi-component",
	JPIPReferenced:                 "JPIP Referenced",
	JPIPReferencedDeflate:          "JPIP Referenced Deflate",
	MPEG2MPML:                      "MPEG2 Main Profile / Main Level",
	MPEG2MPMLFragmentable:          "Fragmentable MPEG2 Main Profile / Main Level",
	MPEG2MPHL:                      "MPEG2 Main Profile / High Level",
	MPEG2MPHLFragmentable:          "Fragmentable MPEG2 Main Profile / High Level",
	MPEG4HP41:                      "MPEG-4 AVC/H.264 High Profile / Level 4.1",
	MPEG4HP41Fragmentable:          "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1",
	MPEG4HP41BD:                    "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1",
	MPEG4HP41BDFragmentable:        "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1",
	MPEG4HP422D:                    "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video",
	MPEG4HP422DFragmentable:        "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video",
	MPEG4HP423D:                    "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video",
	MPEG4HP423DFragmentable:        "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video",
	MPEG4HP42STEREO:                "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2",
	MPEG4HP42STEREOFragmentable:    "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2",
	HEVCMP51:                       "HEVC/H.265 Main Profile / Level 5.1",
	HEVCM10P51:                     "HEVC/H.265 Main 10 Profile / Level 5.1",
	JPEGXLLossless:                 "JPEG XL Lossless",
	JPEGXLJPEGRecompression:        "JPEG XL JPEG Recompression",
	JPEGXL:                         "JPEG XL",
	HTJ2KLossless:                  "High-Throughput JPEG 2000 (Lossless Only)",
	HTJ2KLosslessRPCL:              "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)",
	HTJ2K:                          "High-Throughput JPEG 2000",
	JPIPHTJ2KReferenced:            "JPIP HTJ2K Referenced",
	JPIPHTJ2KReferencedDeflate:     "JPIP HTJ2K Referenced Deflate",
	RLELossless:                    "RLE Lossless",
	DeflatedImageFrame:             "Deflated Image Frame Compression",

	ApplicationContext:             "DICOM Application Context Name",
	Verification:                   "Verification",
	StorageCommitmentPushModel:     "Storage Commitment Push Model",
	StorageCommitmentPushInstance:  "Storage Commitment Push Model Instance",
	ModalityWorklistFind:           "Modality Worklist Information Model - FIND",
	ModalityPerformedProcedureStep: "Modality Performed Procedure Step",
	MediaStorageDirectory:          "Media Storage Directory Storage",
	PatientRootFind:                "Patient Root Query/Retrieve - FIND",
	PatientRootMove:                "Patient Root Query/Retrieve - MOVE",
	PatientRootGet:                 "Patient Root Query/Retrieve - GET",
	StudyRootFind:                  "Study Root Query/Retrieve - FIND",
	StudyRootMove:                  "Study Root Query/Retrieve - MOVE",
	StudyRootGet:                   "Study Root Query/Retrieve - GET",
}
