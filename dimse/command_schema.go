package dimse

// check holds the collected elements against what PS3.7 9.3 and 10.3 make mandatory.
//
// Deviation: Priority, Affected SOP Class UID of responses and the type IDs in
// responses are not demanded: widespread equipment leaves them out.
func (d *commandDecoder) check() error {
	if d.seen&(hasField|hasDataSetType) != hasField|hasDataSetType {
		return breach("PS3.7 E.1", "command field or command data set type missing")
	}

	c := d.cmd
	c.Response = d.field&responseBit != 0
	c.Operation = Operation(d.field &^ responseBit)
	if !c.Operation.known() || c.Operation == CCancel && c.Response {
		return breach("PS3.7 E.1", "unknown command field")
	}

	if c.Response {
		return d.checkResponse()
	}
	if c.Operation == CCancel {
		if d.seen&hasResponded == 0 || c.HasDataSet {
			return breach("PS3.7 9.3.2.3", "C-CANCEL without message ID being responded to, or with a data set")
		}
		c.MessageID = d.respTo
		return nil
	}

	c.MessageID = d.id
	need, never := requestSchema(c.Operation)

	switch {
	case d.seen&need != need:
		return breach("PS3.7 E.1", "mandatory element missing in "+c.Operation.String()+"-RQ")
	case d.seen&(never|hasResponded|hasStatus|hasSubOperations) != 0:
		return breach("PS3.7 E.1", "element that does not belong in "+c.Operation.String()+"-RQ")
	case c.HasDataSet && (c.Operation == CEcho || c.Operation == NGet || c.Operation == NDelete):
		return breach("PS3.7 E.1", "data set with "+c.Operation.String()+"-RQ")
	case !c.HasDataSet && (c.Operation == CStore || c.Operation == CFind || c.Operation == CGet || c.Operation == CMove):
		return breach("PS3.7 E.1", "no data set with "+c.Operation.String()+"-RQ")
	}
	return nil
}

// requestSchema is what a request must and must not have.
func requestSchema(op Operation) (need, never presence) {
	const affected = hasAffectedClass
	const requested = hasRequestedClass | hasRequestedInstance
	switch op {
	case CStore:
		return hasID | affected | hasAffectedInstance, requested | hasEventType | hasActionType
	case CMove:
		return hasID | affected | hasDestination, requested | hasEventType | hasActionType
	case CFind, CGet, CEcho:
		return hasID | affected, requested | hasEventType | hasActionType
	case NEventReport:
		return hasID | affected | hasAffectedInstance | hasEventType, requested | hasActionType
	case NAction:
		return hasID | requested | hasActionType, affected | hasEventType
	case NGet, NSet, NDelete:
		return hasID | requested, affected | hasEventType | hasActionType
	case NCreate:
		return hasID | affected, requested | hasEventType | hasActionType
	}
	return hasID, 0
}

func (d *commandDecoder) checkResponse() error {
	c := d.cmd
	c.MessageID = d.respTo
	if d.seen&(hasResponded|hasStatus) != hasResponded|hasStatus {
		return breach("PS3.7 E.1", "message ID being responded to or status missing in a response")
	}
	if c.HasDataSet && (c.Operation == CStore || c.Operation == CEcho || c.Operation == NDelete) {
		return breach("PS3.7 E.1", "data set with "+c.Operation.String()+"-RSP")
	}

	if d.seen&hasSubOperations != 0 {
		sub := d.sub
		c.SubOperations = &sub
	}
	return nil
}
