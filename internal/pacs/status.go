package pacs

import (
	"errors"

	"collimator/dimse"
	"collimator/internal/archive"
	"collimator/internal/fault"
)

// suspicious is what the inspection finds, in the 64 characters of an Error Comment.
const suspicious = "suspicious content, such as a program or a virus"

// storeStatus maps an outcome of Ingest to a status of C-STORE (PS3.7 9.1.1.1.9,
// PS3.4 B.2.3). A7xx says that the same object may be taken later, and senders
// repeat it for ever: it stands for what passes, never for a limit.
func storeStatus(err error) dimse.Status {
	if err == nil {
		return dimse.Status{}
	}

	if conflict, ok := errors.AsType[*archive.ConflictError](err); ok {
		return conflictStatus(conflict, err)
	}

	switch {
	case errors.Is(err, archive.ErrMismatch):
		return status(dimse.DataSetDoesNotMatchSOPClass, "SOP Class or Instance UID differs from the request", err)
	case errors.Is(err, archive.ErrContent):
		return status(dimse.InvalidSOPInstance, "refused: "+suspicious, err)
	case errors.Is(err, archive.ErrTooLong):
		return status(dimse.CannotUnderstand, "too long for clamd: raise its StreamMaxLength", err)
	case errors.Is(err, archive.ErrUID):
		return status(dimse.InvalidSOPInstance, "a UID is missing or malformed", err)
	}

	switch fault.Of(err) {
	case fault.Invalid, fault.Unsupported:
		return status(dimse.CannotUnderstand, "data set cannot be read", err)
	case fault.TooLarge:
		return status(dimse.CannotUnderstand, "data set is beyond the limits", err)
	case fault.Busy, fault.Unavailable:
		return status(dimse.OutOfResources, "storage is not available", err)
	}
	return status(dimse.ProcessingFailure, "could not be stored", err)
}

// conflictStatus says "held" only of what the quarantine keeps.
func conflictStatus(c *archive.ConflictError, err error) dimse.Status {
	what := "held: "
	if c.Quarantine == 0 {
		what = "not kept: "
	}
	switch c.Reason {
	case archive.DifferentContent:
		return status(dimse.DuplicateSOPInstance, what+"other content under this SOP Instance UID", err)
	case archive.Suspicious:
		return status(dimse.InvalidSOPInstance, what+suspicious, err)
	}

	return status(dimse.InvalidSOPInstance, what+"contradicts patient or study that is stored", err)
}

// queryStatus maps an error of a query to a status of C-FIND, C-GET or C-MOVE
// (PS3.4 C.4.1.1.4, C.4.2.1.5, C.4.3.1.4).
func queryStatus(err error) dimse.Status {
	switch fault.Of(err) {
	case fault.None:
		return dimse.Status{}
	case fault.Invalid:
		return status(dimse.DataSetDoesNotMatchSOPClass, comment(err), err)
	case fault.Unsupported, fault.TooLarge: // the same request asks for as much again
		return status(dimse.CannotUnderstand, comment(err), err)
	case fault.Busy, fault.Unavailable:
		return status(dimse.OutOfResources, comment(err), err)
	case fault.Denied:
		return status(dimse.NotAuthorized, "not authorised", err)
	case fault.Canceled:
		return status(dimse.Cancel, "", err)
	}
	return status(dimse.CannotUnderstand, "unable to process", err)
}

// comment is the neutral text of an error, in the length an Error Comment may have.
func comment(err error) string {
	text := fault.Text(err)
	return text[:min(len(text), 64)]
}

func status(code dimse.StatusCode, comment string, cause error) dimse.Status {
	return dimse.Status{Code: code, Comment: comment, Cause: cause}
}
