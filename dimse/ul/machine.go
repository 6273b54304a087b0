package ul

import "fmt"

// State is a state of the upper layer protocol machine (PS3.8 9.2.1).
type State uint8

// States of PS3.8 tables 9-1 to 9-5.
const (
	Sta1  State = iota + 1 // Idle
	Sta2                   // Transport connection open (awaiting A-ASSOCIATE-RQ)
	Sta3                   // Awaiting local A-ASSOCIATE response primitive
	Sta4                   // Awaiting transport connection opening to complete
	Sta5                   // Awaiting A-ASSOCIATE-AC or -RJ
	Sta6                   // Association established, ready for data transfer
	Sta7                   // Awaiting A-RELEASE-RP
	Sta8                   // Awaiting local A-RELEASE response primitive
	Sta9                   // Release collision, requestor side: awaiting A-RELEASE response primitive
	Sta10                  // Release collision, acceptor side: awaiting A-RELEASE-RP
	Sta11                  // Release collision, requestor side: awaiting A-RELEASE-RP
	Sta12                  // Release collision, acceptor side: awaiting A-RELEASE response primitive
	Sta13                  // Awaiting transport connection close
)

// String is the label of the state.
func (s State) String() string { return fmt.Sprintf("Sta%d", uint8(s)) }

// Event is what happens to the machine (PS3.8 table 9-10).
type Event uint8

// Events of PS3.8 table 9-10.
const (
	Evt1  Event = iota + 1 // A-ASSOCIATE request (local user)
	Evt2                   // Transport connection confirmed
	Evt3                   // A-ASSOCIATE-AC received
	Evt4                   // A-ASSOCIATE-RJ received
	Evt5                   // Transport connection indication
	Evt6                   // A-ASSOCIATE-RQ received
	Evt7                   // A-ASSOCIATE response primitive (accept)
	Evt8                   // A-ASSOCIATE response primitive (reject)
	Evt9                   // P-DATA request primitive
	Evt10                  // P-DATA-TF received
	Evt11                  // A-RELEASE request primitive
	Evt12                  // A-RELEASE-RQ received
	Evt13                  // A-RELEASE-RP received
	Evt14                  // A-RELEASE response primitive
	Evt15                  // A-ABORT request primitive
	Evt16                  // A-ABORT received
	Evt17                  // Transport connection closed
	Evt18                  // ARTIM timer expired
	Evt19                  // Unrecognized or invalid PDU received
)

// String is the label of the event.
func (e Event) String() string { return fmt.Sprintf("Evt%d", uint8(e)) }

// Received is the event of a PDU type that arrives; Evt19 for an unknown type.
func Received(t Type) Event {
	switch t {
	case TypeAssociateAC:
		return Evt3
	case TypeAssociateRJ:
		return Evt4
	case TypeAssociateRQ:
		return Evt6
	case TypePDataTF:
		return Evt10
	case TypeReleaseRQ:
		return Evt12
	case TypeReleaseRP:
		return Evt13
	case TypeAbort:
		return Evt16
	}
	return Evt19
}

// Effect is one thing the driver has to do, in the order given.
type Effect uint8

// Effects of the actions of PS3.8 tables 9-6 to 9-9.
const (
	Connect               Effect = iota + 1 // issue TRANSPORT CONNECT request
	AcceptConnection                        // issue TRANSPORT CONNECT response
	CloseConnection                         // close the transport connection
	StartARTIM                              // start or restart the ARTIM timer
	StopARTIM                               // stop the ARTIM timer
	SendAssociateRQ                         // send A-ASSOCIATE-RQ
	SendAssociateAC                         // send A-ASSOCIATE-AC
	SendAssociateRJ                         // send A-ASSOCIATE-RJ
	SendPData                               // send P-DATA-TF
	SendReleaseRQ                           // send A-RELEASE-RQ
	SendReleaseRP                           // send A-RELEASE-RP
	SendAbortByUser                         // send A-ABORT, source service-user
	SendAbortByProvider                     // send A-ABORT, source service-provider
	IndicateAssociate                       // A-ASSOCIATE indication: decide on the request
	ConfirmAssociate                        // A-ASSOCIATE confirmation, accepted
	ConfirmReject                           // A-ASSOCIATE confirmation, rejected
	IndicateData                            // P-DATA indication
	IndicateRelease                         // A-RELEASE indication
	ConfirmRelease                          // A-RELEASE confirmation
	IndicateAbort                           // A-ABORT indication, by the peer's user
	IndicateProviderAbort                   // A-P-ABORT indication
)

var effectNames = [...]string{
	Connect: "connect", AcceptConnection: "accept-connection", CloseConnection: "close-connection",
	StartARTIM: "start-ARTIM", StopARTIM: "stop-ARTIM",
	SendAssociateRQ: "send-A-ASSOCIATE-RQ", SendAssociateAC: "send-A-ASSOCIATE-AC", SendAssociateRJ: "send-A-ASSOCIATE-RJ",
	SendPData: "send-P-DATA-TF", SendReleaseRQ: "send-A-RELEASE-RQ", SendReleaseRP: "send-A-RELEASE-RP",
	SendAbortByUser: "send-A-ABORT(service-user)", SendAbortByProvider: "send-A-ABORT(service-provider)",
	IndicateAssociate: "indicate-A-ASSOCIATE", ConfirmAssociate: "confirm-A-ASSOCIATE(accepted)",
	ConfirmReject: "confirm-A-ASSOCIATE(rejected)", IndicateData: "indicate-P-DATA",
	IndicateRelease: "indicate-A-RELEASE", ConfirmRelease: "confirm-A-RELEASE",
	IndicateAbort: "indicate-A-ABORT", IndicateProviderAbort: "indicate-A-P-ABORT",
}

// String is the effect in words.
func (e Effect) String() string {
	if int(e) < len(effectNames) && effectNames[e] != "" {
		return effectNames[e]
	}
	return fmt.Sprintf("effect %d", uint8(e))
}

// Input is an event with what the machine has to know about it.
type Input struct {
	Event Event
	// Refuse accompanies Evt6: the request is not acceptable to the service
	// provider (protocol version, malformed but readable), so reject it without
	// asking the user (AE-6).
	Refuse bool
	// Source accompanies Evt16: who aborted (AA-3).
	Source AbortSource
}

// Step is what one input led to. Effects is shared and must not be changed.
type Step struct {
	From, To State
	Action   Action
	Effects  []Effect
}

// Machine is the upper layer protocol machine of one connection, a value. The zero
// Machine is the acceptor in Sta1; use NewMachine.
type Machine struct {
	state     State
	requestor bool
}

// NewMachine returns a machine in Sta1, of the requestor or of the acceptor.
func NewMachine(requestor bool) Machine { return Machine{state: Sta1, requestor: requestor} }

// State is where the machine is.
func (m Machine) State() State {
	if m.state == 0 {
		return Sta1
	}
	return m.state
}

// Requestor tells which side of the association this is.
func (m Machine) Requestor() bool { return m.requestor }

// Next gives the machine after in, and what is to be done. ok is false when PS3.8
// table 9-10 has no action for the event in this state: only local primitives and
// timers can get there, never a PDU; the machine stays where it is.
func (m Machine) Next(in Input) (next Machine, step Step, ok bool) {
	from := m.State()
	action := lookup(from, in.Event)
	step = Step{From: from, To: from, Action: action}
	if action == 0 {
		return m, step, false
	}

	row := actions[action]
	step.Effects = row.effects
	step.To = row.next

	switch action {
	case AE6:
		if in.Refuse {
			step.Effects = refuseEffects
			step.To = Sta13
		}
	case AR8:
		if !m.requestor {
			step.To = Sta10
		}
	case AA3:
		if in.Source != AbortServiceUser {
			step.Effects = providerAbortEffects
		}
	}

	m.state = step.To
	return m, step, true
}
