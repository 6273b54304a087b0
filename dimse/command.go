package dimse

import "collimator/dicom/tag"

// Priority of a C- operation (PS3.7 E.1). It has no effect here.
type Priority uint16

// Priorities.
const (
	PriorityMedium Priority = 0
	PriorityHigh   Priority = 1
	PriorityLow    Priority = 2
)

// Command is a command set (PS3.7 6.3, E). Which fields go over the wire follows
// from Operation and Response (PS3.7 9.3, 10.3).
type Command struct {
	Operation Operation
	// Response tells a response from a request.
	Response bool
	// MessageID is Message ID of a request, Message ID Being Responded To of a
	// response and of C-CANCEL.
	MessageID uint16
	// HasDataSet is Command Data Set Type: a data set follows.
	HasDataSet bool

	AffectedSOPClassUID     string
	RequestedSOPClassUID    string
	AffectedSOPInstanceUID  string
	RequestedSOPInstanceUID string

	Priority                             Priority
	MoveDestination                      string
	MoveOriginatorApplicationEntityTitle string
	MoveOriginatorMessageID              uint16
	EventTypeID                          uint16
	ActionTypeID                         uint16
	AttributeIdentifierList              []tag.Tag

	// Status, OffendingElement, ErrorComment and ErrorID are of a response.
	Status           StatusCode
	OffendingElement []tag.Tag
	ErrorComment     string
	ErrorID          uint16
	// SubOperations is of responses to C-GET and C-MOVE; nil when absent.
	SubOperations *SubOperations
}

// SubOperations counts the sub-operations of a C-GET or C-MOVE (PS3.4 C.4.2, C.4.3).
type SubOperations struct {
	Remaining, Completed, Failed, Warning uint16
}

// SOPClassUID is the affected or, where the operation names it so, the requested SOP Class.
func (c *Command) SOPClassUID() string {
	if c.RequestedSOPClassUID != "" {
		return c.RequestedSOPClassUID
	}
	return c.AffectedSOPClassUID
}

// SOPInstanceUID is the affected or, where the operation names it so, the requested SOP Instance.
func (c *Command) SOPInstanceUID() string {
	if c.RequestedSOPInstanceUID != "" {
		return c.RequestedSOPInstanceUID
	}
	return c.AffectedSOPInstanceUID
}

// status puts the parts of a Status together that a response carries.
func (c *Command) status() Status {
	return Status{Code: c.Status, Comment: c.ErrorComment, OffendingElements: c.OffendingElement, ErrorID: c.ErrorID}
}

// setStatus is its reverse.
func (c *Command) setStatus(s Status) {
	c.Status = s.Code
	c.OffendingElement = s.OffendingElements
	c.ErrorID = s.ErrorID
	c.ErrorComment = neutral(s.Comment)
}

// neutral cuts a comment to what LO and Error Comment allow: 64 printable characters of ISO 646 without backslash.
func neutral(s string) string {
	b := make([]byte, 0, min(len(s), 64))
	for i := 0; i < len(s) && len(b) < 64; i++ {
		if s[i] >= 0x20 && s[i] <= 0x7E && s[i] != '\\' {
			b = append(b, s[i])
		}
	}
	return string(b)
}
