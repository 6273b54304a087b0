package audit

// Code says to programs what Reason says to people. What acts on a record, such
// as an alarm, asks the code: the words of a reason may change.
type Code string

// The codes.
const (
	HeldSuspicious      Code = "held-suspicious"       // an object was held back because it may be a program
	StateChanged        Code = "state-changed"         // a part of the server came to another state; Outcome says whether it is well
	ScheduledScanFailed Code = "scheduled-scan-failed" // a scan that nobody waits for did not come to its end
	PasskeyCopied       Code = "passkey-copied"        // the counter of a passkey went back: there are two of it
	GlassBroken         Code = "glass-broken"          // somebody came in past the identity provider
)

// The doors: the ways in, as they stand in a record.
const (
	DoorDIMSE    = "dimse"
	DoorPlain    = "dimse-plain"
	DoorWeb      = "dicomweb"
	DoorAPI      = "api"
	DoorCommand  = "command"
	DoorSchedule = "schedule"
)
