package dimse

import "fmt"

// statusNames are the meanings of PS3.7 Annex C and PS3.4; where a code means
// different things to different services the name says so.
var statusNames = map[StatusCode]string{
	Success:                       "Success",
	Cancel:                        "Cancel",
	Pending:                       "Pending",
	PendingOptionalKeys:           "Pending, optional keys not supported",
	RequestedOptional:             "Requested optional attributes not supported",
	NoSuchAttribute:               "No such attribute",
	InvalidAttributeValue:         "Invalid attribute value",
	AttributeListError:            "Attribute list error",
	ProcessingFailure:             "Processing failure",
	DuplicateSOPInstance:          "Duplicate SOP Instance",
	NoSuchSOPInstance:             "No such SOP Instance",
	NoSuchEventType:               "No such event type",
	NoSuchArgument:                "No such argument",
	InvalidArgumentValue:          "Invalid argument value",
	AttributeValueOutOfRange:      "Attribute value out of range",
	InvalidSOPInstance:            "Invalid SOP Instance",
	NoSuchSOPClass:                "No such SOP Class",
	ClassInstanceConflict:         "Class-Instance conflict",
	MissingAttribute:              "Missing attribute",
	MissingAttributeValue:         "Missing attribute value",
	SOPClassNotSupported:          "Refused: SOP Class not supported",
	NoSuchActionType:              "No such action type",
	NotAuthorized:                 "Refused: not authorized",
	DuplicateInvocation:           "Duplicate invocation",
	UnrecognizedOperation:         "Unrecognized operation",
	MistypedArgument:              "Mistyped argument",
	ResourceLimitation:            "Resource limitation",
	OutOfResources:                "Refused: out of resources",
	UnableToCalculateMatches:      "Refused: out of resources, unable to calculate number of matches",
	UnableToPerformSubOperations:  "Refused: out of resources, unable to perform sub-operations",
	MoveDestinationUnknown:        "Refused: move destination unknown",
	DataSetDoesNotMatchSOPClass:   "Data set or identifier does not match SOP Class",
	FramesNotFound:                "None of the frames requested were found",
	UnableToCreateObject:          "Unable to create new object for this SOP Class",
	UnableToExtractFrames:         "Unable to extract frames",
	TimeRangeOnWrongClass:         "Time-based request on an original object that is not time-based",
	InvalidCompositeRequest:       "Invalid request",
	CoercionOfDataElements:        "Coercion of data elements, or sub-operations complete with failures or warnings",
	ElementsDiscarded:             "Elements discarded",
	DataSetMismatchWarning:        "Data set does not match SOP Class (warning)",
	CannotUnderstand:              "Cannot understand, unable to process",
	UPSCreatedWithModifications:   "UPS created with modifications",
	UPSDeletionLockNotGranted:     "UPS deletion lock not granted",
	UPSAlreadyCanceled:            "UPS already in the requested state of CANCELED",
	UPSInvalidValuesRounded:       "UPS coerced invalid values to valid values",
	UPSAlreadyCompleted:           "UPS already in the requested state of COMPLETED",
	UPSNoLongerUpdated:            "UPS may no longer be updated",
	UPSTransactionUIDNotCorrect:   "UPS transaction UID not correct",
	UPSAlreadyInProgress:          "UPS already IN PROGRESS",
	UPSOnlyScheduledByCreate:      "UPS may only become SCHEDULED via N-CREATE",
	UPSNotFinalStateReady:         "UPS has not met final state requirements",
	UPSNoSuchInstance:             "No such UPS instance",
	UPSReceivingAEUnknown:         "Receiving AE title unknown",
	UPSStateNotScheduled:          "UPS state was not SCHEDULED",
	UPSNotInProgress:              "UPS not yet in the IN PROGRESS state",
	UPSAlreadyCompletedFailure:    "UPS already COMPLETED",
	UPSPerformerCannotBeContacted: "UPS performer cannot be contacted",
	UPSPerformerChoosesNot:        "UPS performer chooses not to cancel",
	UPSActionNotAppropriate:       "UPS action not appropriate for specified instance",
	UPSEventReportsNotSupported:   "UPS event reports not supported",
	PrintMemoryAllocation:         "Print: memory allocation not supported",
	PrintNoSessionPrinting:        "Print: film session printing not supported",
	PrintEmptyFilmPage:            "Print: film box without image boxes",
	PrintEmptyFilmSession:         "Print: film session without film boxes",
	PrintImageDemagnified:         "Print: image larger than image box, demagnified",
	PrintDensityOutOfRange:        "Print: requested density outside operating range",
	PrintImageCropped:             "Print: image larger than image box, cropped",
	PrintImageDecimated:           "Print: image larger than image box, decimated",
	PrintSessionWithoutBoxes:      "Print: film session without film boxes (failure)",
	PrintQueueFull:                "Print: unable to create print job, queue full",
	PrintQueueFullSession:         "Print: unable to create print job, queue full (film box)",
	PrintImageLargerThanBox:       "Print: image size larger than image box",
	PrintInsufficientMemory:       "Print: insufficient memory",
	PrintCombinedImageTooLarge:    "Print: combined print image larger than image box",
	PrintExistingBoxNotPrinted:    "Print: existing film box not printed",
	MediaCreationInProgress:       "Media creation: request already in progress",
	MediaCreationAlreadyFinished:  "Media creation: request already completed",
	MediaCreationCannotCancel:     "Media creation: already in progress and cannot be interrupted",
	MediaCreationCancelDenied:     "Media creation: cancellation denied",
}

// Name is the meaning of the code; for a code of a range of PS3.4 (A7xx, A9xx, Cxxx) that of the range.
func (c StatusCode) Name() string {
	if n, ok := statusNames[c]; ok {
		return n
	}

	switch {
	case c>>8 == 0xA7:
		return statusNames[OutOfResources]
	case c>>8 == 0xA9:
		return statusNames[DataSetDoesNotMatchSOPClass]
	case c>>12 == 0xC:
		return statusNames[CannotUnderstand]
	}
	return c.Class().String()
}

// String is the code in hexadecimal with its name, as "A700H Refused: out of resources".
func (c StatusCode) String() string { return fmt.Sprintf("%04XH %s", uint16(c), c.Name()) }
