package dimse

import (
	"fmt"

	"collimator/dicom/tag"
)

// StatusCode is the value of Status (0000,0900) of PS3.7 Annex C and of the service classes of PS3.4.
type StatusCode uint16

// Status codes of PS3.7 Annex C.
const (
	Success                  StatusCode = 0x0000
	Cancel                   StatusCode = 0xFE00 // C.3 matching or sub-operations ended by C-CANCEL
	Pending                  StatusCode = 0xFF00 // C.1.3
	PendingOptionalKeys      StatusCode = 0xFF01 // PS3.4 C.4.1.1.4: an optional key was not supported
	RequestedOptional        StatusCode = 0x0001 // C.4.1 warning: requested optional attributes are not supported
	AttributeListError       StatusCode = 0x0107 // C.4.2 warning
	ProcessingFailure        StatusCode = 0x0110 // C.5.21
	DuplicateSOPInstance     StatusCode = 0x0111 // C.5.6
	NoSuchSOPInstance        StatusCode = 0x0112 // C.5.19
	NoSuchEventType          StatusCode = 0x0113 // C.5.18
	NoSuchArgument           StatusCode = 0x0114 // C.5.16
	InvalidArgumentValue     StatusCode = 0x0115 // C.5.10
	AttributeValueOutOfRange StatusCode = 0x0116 // C.4.3 warning
	InvalidSOPInstance       StatusCode = 0x0117 // C.5.12
	NoSuchSOPClass           StatusCode = 0x0118 // C.5.20
	ClassInstanceConflict    StatusCode = 0x0119 // C.5.5
	MissingAttribute         StatusCode = 0x0120 // C.5.13
	MissingAttributeValue    StatusCode = 0x0121 // C.5.14
	SOPClassNotSupported     StatusCode = 0x0122 // C.5.24
	NoSuchActionType         StatusCode = 0x0123 // C.5.17
	NotAuthorized            StatusCode = 0x0124 // C.5.2
	NoSuchAttribute          StatusCode = 0x0105 // C.5.11
	InvalidAttributeValue    StatusCode = 0x0106 // C.5.7
	DuplicateInvocation      StatusCode = 0x0210 // C.5.8
	UnrecognizedOperation    StatusCode = 0x0211 // C.5.25
	MistypedArgument         StatusCode = 0x0212 // C.5.15
	ResourceLimitation       StatusCode = 0x0213 // C.5.23
)

// Status codes of storage (PS3.4 B.2.3) and of query and retrieve (PS3.4 C.4).
const (
	OutOfResources               StatusCode = 0xA700 // storage, C-FIND
	UnableToCalculateMatches     StatusCode = 0xA701 // C-GET, C-MOVE
	UnableToPerformSubOperations StatusCode = 0xA702 // C-GET, C-MOVE
	MoveDestinationUnknown       StatusCode = 0xA801 // C-MOVE
	DataSetDoesNotMatchSOPClass  StatusCode = 0xA900 // storage; identifier of C-FIND, C-GET, C-MOVE
	FramesNotFound               StatusCode = 0xAA00 // C-GET, C-MOVE at frame level (PS3.4 Y)
	UnableToCreateObject         StatusCode = 0xAA01
	UnableToExtractFrames        StatusCode = 0xAA02
	TimeRangeOnWrongClass        StatusCode = 0xAA03
	InvalidCompositeRequest      StatusCode = 0xAA04
	CoercionOfDataElements       StatusCode = 0xB000 // storage warning
	SubOperationsWithFailures    StatusCode = 0xB000 // C-GET, C-MOVE warning
	ElementsDiscarded            StatusCode = 0xB006 // storage warning
	DataSetMismatchWarning       StatusCode = 0xB007 // storage warning
	CannotUnderstand             StatusCode = 0xC000 // storage; C-FIND, C-GET, C-MOVE: unable to process
)

// Status codes of the unified procedure step (PS3.4 CC.2).
const (
	UPSCreatedWithModifications   StatusCode = 0xB300
	UPSDeletionLockNotGranted     StatusCode = 0xB301
	UPSAlreadyCanceled            StatusCode = 0xB304
	UPSInvalidValuesRounded       StatusCode = 0xB305
	UPSAlreadyCompleted           StatusCode = 0xB306
	UPSNoLongerUpdated            StatusCode = 0xC300
	UPSTransactionUIDNotCorrect   StatusCode = 0xC301
	UPSAlreadyInProgress          StatusCode = 0xC302
	UPSOnlyScheduledByCreate      StatusCode = 0xC303
	UPSNotFinalStateReady         StatusCode = 0xC304
	UPSNoSuchInstance             StatusCode = 0xC307
	UPSReceivingAEUnknown         StatusCode = 0xC308
	UPSStateNotScheduled          StatusCode = 0xC309
	UPSNotInProgress              StatusCode = 0xC310
	UPSAlreadyCompletedFailure    StatusCode = 0xC311
	UPSPerformerCannotBeContacted StatusCode = 0xC312
	UPSPerformerChoosesNot        StatusCode = 0xC313
	UPSActionNotAppropriate       StatusCode = 0xC314
	UPSEventReportsNotSupported   StatusCode = 0xC315
)

// Status codes of print management (PS3.4 H.4).
const (
	PrintMemoryAllocation        StatusCode = 0xB600
	PrintNoSessionPrinting       StatusCode = 0xB601
	PrintEmptyFilmPage           StatusCode = 0xB602
	PrintEmptyFilmSession        StatusCode = 0xB603
	PrintImageDemagnified        StatusCode = 0xB604
	PrintDensityOutOfRange       StatusCode = 0xB605
	PrintImageCropped            StatusCode = 0xB609
	PrintImageDecimated          StatusCode = 0xB60A
	PrintSessionWithoutBoxes     StatusCode = 0xC600
	PrintQueueFull               StatusCode = 0xC601
	PrintQueueFullSession        StatusCode = 0xC602
	PrintImageLargerThanBox      StatusCode = 0xC603
	PrintInsufficientMemory      StatusCode = 0xC605
	PrintCombinedImageTooLarge   StatusCode = 0xC613
	PrintExistingBoxNotPrinted   StatusCode = 0xC616
	MediaCreationInProgress      StatusCode = 0xA510 // PS3.4 S.3.2
	MediaCreationAlreadyFinished StatusCode = 0xC201
	MediaCreationCannotCancel    StatusCode = 0xC202
	MediaCreationCancelDenied    StatusCode = 0xC203
)

// StatusClass is one of the five classes of PS3.7 Annex C.
type StatusClass uint8

// Classes of status.
const (
	ClassSuccess StatusClass = iota
	ClassWarning
	ClassFailure
	ClassCancel
	ClassPending
)

// String is the class in a word.
func (c StatusClass) String() string {
	return [...]string{"Success", "Warning", "Failure", "Cancel", "Pending"}[min(c, ClassPending)]
}

// Class is the class of the code; what the standard does not name is a failure.
func (c StatusCode) Class() StatusClass {
	switch {
	case c == Success:
		return ClassSuccess
	case c == Pending || c == PendingOptionalKeys:
		return ClassPending
	case c == Cancel:
		return ClassCancel
	case c == RequestedOptional || c == AttributeListError || c == AttributeValueOutOfRange || c>>12 == 0xB:
		return ClassWarning
	}
	return ClassFailure
}

// With makes a Status of the code with an error comment for the peer: short and
// neutral, at most 64 characters are sent (PS3.7 Annex C).
func (c StatusCode) With(comment string) Status { return Status{Code: c, Comment: comment} }

// Because makes a Status of the code with a cause for our own log and guard; the peer does not see it.
func (c StatusCode) Because(cause error) Status { return Status{Code: c, Cause: cause} }

// Status answers an operation. The zero Status is Success.
type Status struct {
	Code StatusCode
	// Comment is Error Comment (0000,0902): short, neutral, without patient data.
	Comment string
	// OffendingElements is Offending Element (0000,0901).
	OffendingElements []tag.Tag
	// ErrorID is Error ID (0000,0903); sent when not 0.
	ErrorID uint16
	// Cause is why, for the log and the interceptor. It is never sent.
	Cause error
}

// Err is nil for success, pending and warning, else a *StatusError.
func (s Status) Err() error {
	switch s.Code.Class() {
	case ClassSuccess, ClassPending, ClassWarning:
		return nil
	}
	return &StatusError{Status: s}
}

// String is the code with its name.
func (s Status) String() string { return s.Code.String() }

// StatusError is an operation that the peer answered with a failure or cancel status.
type StatusError struct {
	Operation Operation
	Status    Status
}

// Error implements error. The comment of the peer is not in it: it may hold anything.
func (e *StatusError) Error() string {
	if e.Operation == 0 {
		return "dimse: status " + e.Status.Code.String()
	}
	return fmt.Sprintf("dimse: %s: status %s", e.Operation, e.Status.Code)
}

// Unwrap gives the cause, if there is one.
func (e *StatusError) Unwrap() error { return e.Status.Cause }
