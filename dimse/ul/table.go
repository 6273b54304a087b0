package ul

// Action is the label of what the machine does (PS3.8 tables 9-6 to 9-9).
type Action uint8

// Actions of PS3.8 tables 9-6 to 9-9.
const (
	AE1  Action = iota + 1 // issue TRANSPORT CONNECT request
	AE2                    // send A-ASSOCIATE-RQ
	AE3                    // A-ASSOCIATE confirmation accept
	AE4                    // A-ASSOCIATE confirmation reject, close
	AE5                    // TRANSPORT CONNECT response, start ARTIM
	AE6                    // stop ARTIM; indication, or reject
	AE7                    // send A-ASSOCIATE-AC
	AE8                    // send A-ASSOCIATE-RJ, start ARTIM
	DT1                    // send P-DATA-TF
	DT2                    // P-DATA indication
	AR1                    // send A-RELEASE-RQ
	AR2                    // A-RELEASE indication
	AR3                    // A-RELEASE confirmation, close
	AR4                    // send A-RELEASE-RP, start ARTIM
	AR5                    // stop ARTIM
	AR6                    // P-DATA indication while awaiting A-RELEASE-RP
	AR7                    // send P-DATA-TF while a release is asked for
	AR8                    // A-RELEASE indication, collision
	AR9                    // send A-RELEASE-RP, collision
	AR10                   // A-RELEASE confirmation, collision
	AA1                    // send A-ABORT as user, start ARTIM
	AA2                    // stop ARTIM, close
	AA3                    // A-ABORT or A-P-ABORT indication, close
	AA4                    // A-P-ABORT indication
	AA5                    // stop ARTIM
	AA6                    // ignore
	AA7                    // send A-ABORT
	AA8                    // send A-ABORT as provider, A-P-ABORT indication, start ARTIM
)

var actionNames = [...]string{
	0: "-", AE1: "AE-1", AE2: "AE-2", AE3: "AE-3", AE4: "AE-4", AE5: "AE-5", AE6: "AE-6", AE7: "AE-7", AE8: "AE-8",
	DT1: "DT-1", DT2: "DT-2", AR1: "AR-1", AR2: "AR-2", AR3: "AR-3", AR4: "AR-4", AR5: "AR-5", AR6: "AR-6",
	AR7: "AR-7", AR8: "AR-8", AR9: "AR-9", AR10: "AR-10", AA1: "AA-1", AA2: "AA-2", AA3: "AA-3", AA4: "AA-4",
	AA5: "AA-5", AA6: "AA-6", AA7: "AA-7", AA8: "AA-8",
}

// String is the label of the action in the standard.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "-"
}

type row struct {
	next    State
	effects []Effect
}

// actions is what each action does and where it leads. AE6, AR8 and AA3 branch: see Machine.Next.
var actions = [...]row{
	AE1:  {Sta4, []Effect{Connect}},
	AE2:  {Sta5, []Effect{SendAssociateRQ}},
	AE3:  {Sta6, []Effect{ConfirmAssociate}},
	AE4:  {Sta1, []Effect{ConfirmReject, CloseConnection}},
	AE5:  {Sta2, []Effect{AcceptConnection, StartARTIM}},
	AE6:  {Sta3, []Effect{StopARTIM, IndicateAssociate}},
	AE7:  {Sta6, []Effect{SendAssociateAC}},
	AE8:  {Sta13, []Effect{SendAssociateRJ, StartARTIM}},
	DT1:  {Sta6, []Effect{SendPData}},
	DT2:  {Sta6, []Effect{IndicateData}},
	AR1:  {Sta7, []Effect{SendReleaseRQ}},
	AR2:  {Sta8, []Effect{IndicateRelease}},
	AR3:  {Sta1, []Effect{ConfirmRelease, CloseConnection}},
	AR4:  {Sta13, []Effect{SendReleaseRP, StartARTIM}},
	AR5:  {Sta1, []Effect{StopARTIM}},
	AR6:  {Sta7, []Effect{IndicateData}},
	AR7:  {Sta8, []Effect{SendPData}},
	AR8:  {Sta9, []Effect{IndicateRelease}},
	AR9:  {Sta11, []Effect{SendReleaseRP}},
	AR10: {Sta12, []Effect{ConfirmRelease}},
	AA1:  {Sta13, []Effect{SendAbortByUser, StartARTIM}},
	AA2:  {Sta1, []Effect{StopARTIM, CloseConnection}},
	AA3:  {Sta1, []Effect{IndicateAbort, CloseConnection}},
	AA4:  {Sta1, []Effect{IndicateProviderAbort}},
	AA5:  {Sta1, []Effect{StopARTIM}},
	AA6:  {Sta13, nil},
	AA7:  {Sta13, []Effect{SendAbortByProvider}},
	AA8:  {Sta13, []Effect{SendAbortByProvider, IndicateProviderAbort, StartARTIM}},
}

var (
	refuseEffects        = []Effect{StopARTIM, SendAssociateRJ, StartARTIM}
	providerAbortEffects = []Effect{IndicateProviderAbort, CloseConnection}
)

// table is PS3.8 table 9-10: rows are events, columns states.
var table = [...][14]Action{
	Evt1:  {Sta1: AE1},
	Evt2:  {Sta4: AE2},
	Evt3:  {Sta2: AA1, Sta3: AA8, Sta5: AE3, Sta6: AA8, Sta7: AA8, Sta8: AA8, Sta9: AA8, Sta10: AA8, Sta11: AA8, Sta12: AA8, Sta13: AA6},
	Evt4:  {Sta2: AA1, Sta3: AA8, Sta5: AE4, Sta6: AA8, Sta7: AA8, Sta8: AA8, Sta9: AA8, Sta10: AA8, Sta11: AA8, Sta12: AA8, Sta13: AA6},
	Evt5:  {Sta1: AE5},
	Evt6:  {Sta2: AE6, Sta3: AA8, Sta5: AA8, Sta6: AA8, Sta7: AA8, Sta8: AA8, Sta9: AA8, Sta10: AA8, Sta11: AA8, Sta12: AA8, Sta13: AA7},
	Evt7:  {Sta3: AE7},
	Evt8:  {Sta3: AE8},
	Evt9:  {Sta6: DT1, Sta8: AR7},
	Evt10: {Sta2: AA1, Sta3: AA8, Sta5: AA8, Sta6: DT2, Sta7: AR6, Sta8: AA8, Sta9: AA8, Sta10: AA8, Sta11: AA8, Sta12: AA8, Sta13: AA6},
	Evt11: {Sta6: AR1},
	Evt12: {Sta2: AA1, Sta3: AA8, Sta5: AA8, Sta6: AR2, Sta7: AR8, Sta8: AA8, Sta9: AA8, Sta10: AA8, Sta11: AA8, Sta12: AA8, Sta13: AA6},
	Evt13: {Sta2: AA1, Sta3: AA8, Sta5: AA8, Sta6: AA8, Sta7: AR3, Sta8: AA8, Sta9: AA8, Sta10: AR10, Sta11: AR3, Sta12: AA8, Sta13: AA6},
	Evt14: {Sta8: AR4, Sta9: AR9, Sta12: AR4},
	Evt15: {Sta3: AA1, Sta4: AA2, Sta5: AA1, Sta6: AA1, Sta7: AA1, Sta8: AA1, Sta9: AA1, Sta10: AA1, Sta11: AA1, Sta12: AA1},
	Evt16: {Sta2: AA2, Sta3: AA3, Sta5: AA3, Sta6: AA3, Sta7: AA3, Sta8: AA3, Sta9: AA3, Sta10: AA3, Sta11: AA3, Sta12: AA3, Sta13: AA2},
	Evt17: {Sta2: AA5, Sta3: AA4, Sta4: AA4, Sta5: AA4, Sta6: AA4, Sta7: AA4, Sta8: AA4, Sta9: AA4, Sta10: AA4, Sta11: AA4, Sta12: AA4, Sta13: AR5},
	Evt18: {Sta2: AA2, Sta13: AA2},
	Evt19: {Sta2: AA1, Sta3: AA8, Sta5: AA8, Sta6: AA8, Sta7: AA8, Sta8: AA8, Sta9: AA8, Sta10: AA8, Sta11: AA8, Sta12: AA8, Sta13: AA7},
}

func lookup(s State, e Event) Action {
	if int(e) >= len(table) || int(s) >= len(table[0]) {
		return 0
	}
	return table[e][s]
}
