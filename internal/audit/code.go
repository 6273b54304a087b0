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
	NotGranted          Code = "not-granted"           // a registered device wanted at a route what no rule of it grants
	GlassBroken         Code = "glass-broken"          // somebody came in past the identity provider
)

// Door is a way in, as it stands in a record.
type Door string

// The doors.
const (
	DoorDIMSE    Door = "dimse"
	DoorPlain    Door = "dimse-plain"
	DoorWeb      Door = "dicomweb"
	DoorAPI      Door = "api"
	DoorCommand  Door = "command"
	DoorSchedule Door = "schedule"
	DoorHL7      Door = "hl7"  // messages of HL7 v2, through the gate
	DoorPage     Door = "page" // pages of a system behind the gate
)
