package audit

// participants are who acted, this installation, and where objects went, in the
// number and the roles of the event's table. Of them one is the requestor, where
// the table has one.
func participants(r Record, source string) []activeParticipant {
	who := actor(r)
	here := activeParticipant{UserID: source, Alternative: r.Peer.CalledAETitle}

	switch family(r.Event) {
	case applications:
		if here.Alternative == "" { // nobody has called it: its own AE title
			here.Alternative = source
		}
		here.Role = role("110150", "Application")
		who.Role = role("110151", "Application Launcher")
		return []activeParticipant{here, who}
	case entries:
		// Deviation: PS3.15 A.5.3 has no message for C-ECHO; what it tells is that a
		// node is on the network, so that one is told (A.5.3.9).
		who.Requestor = false
		return []activeParticipant{who}
	case queries:
		who.Role, here.Role = sender(), receiver()
	case transfers:
		return transferred(r, who, here)
	case exports:
		who.Role, here.Role = sender(), sender()
		return append(atMostTwo(r, who, here), mediaOf(r, source))
	case accesses, readings:
		return atMostTwo(r, who, here)
	case signIns:
		return []activeParticipant{placed(r, signsIn(r, who), source), here}
	case alerts:
		return alerted(r, who, here)
	}
	return behind(r, who, here)
}

// alerted are who reports an alert and who did what it is about (PS3.15 A.5.3.11).
// A change is reported by who made it. What was refused is reported by this
// installation: who tried it performed it, and is not a requestor.
func alerted(r Record, who, here activeParticipant) []activeParticipant {
	if r.Outcome == Success {
		return behind(r, who, here)
	}

	list := behind(r, here, who)
	for i := range list {
		list[i].Requestor = i == 0
	}
	return list
}

// signsIn is the person who is authenticated or claimed to be. The table has that
// one and the system which performs it (PS3.15 A.5.3.12): a device at which the
// person signs in is neither, and told by its network access point.
func signsIn(r Record, who activeParticipant) activeParticipant {
	person := r.actsFor()
	if person == "" {
		return who
	}

	who.UserID = person
	who.Alternative = ""
	return who
}

// placed is who signs in with a network access point, which the table wants
// (PS3.15 A.5.3.12): that of a command is this machine.
func placed(r Record, who activeParticipant, source string) activeParticipant {
	if who.Address != "" {
		return who
	}

	who.Address = unknown
	if r.Door == DoorCommand {
		who.Address = source
	}
	who.AddressType = "1" // machine name
	return who
}

// actor is who acted.
func actor(r Record) activeParticipant {
	who := activeParticipant{UserID: r.Principal, Alternative: r.Peer.CallingAETitle, Requestor: true, Address: r.Peer.Address}

	if who.UserID == "" {
		who.UserID = "unknown"
	}
	if who.Address != "" {
		who.AddressType = "2" // IP address
	}
	return who
}

// transferred are sender and receiver of images; who had them sent elsewhere is
// neither.
func transferred(r Record, who, here activeParticipant) []activeParticipant {
	switch {
	case r.Event == Transferred && r.Action == Create:
		who.Role, here.Role = sender(), receiver()
	case r.Peer.Destination == "":
		who.Role, here.Role = receiver(), sender()
	default:
		here.Role = sender()
		return behind(r, who, here, activeParticipant{UserID: r.Peer.Destination, Role: receiver()})
	}
	return behind(r, who, here)
}

// behind adds the person for whom a device, a token or a link acts: then that is
// the requestor.
func behind(r Record, who activeParticipant, others ...activeParticipant) []activeParticipant {
	list := append([]activeParticipant{who}, others...)
	if person := r.actsFor(); person != "" {
		list[0].Requestor = false
		list = append(list, activeParticipant{UserID: person, Requestor: true})
	}
	return list
}

// atMostTwo is who acted and the person behind, or this installation where there
// is none.
func atMostTwo(r Record, who, here activeParticipant) []activeParticipant {
	if r.actsFor() == "" {
		return []activeParticipant{who, here}
	}
	list := behind(r, who)
	list[1].Role = who.Role
	return list
}

// actsFor is the person for whom the principal acts: the first object, where it is
// a person and nothing else.
func (r *Record) actsFor() string {
	if len(r.Objects) == 0 || r.Event == PersonChanged && len(r.Objects) == 1 {
		return ""
	}

	o := r.Objects[0]
	if o.Study != "" || o.Detail != "" || o.Device != "" || o.Query != "" {
		return ""
	}
	return o.Person
}

// mediaOf is that onto which something was exported: files, or a link. Both are
// at this machine (PS3.15 A.5.3.4 asks for the place of any other medium than film, paper and disc).
func mediaOf(r Record, source string) activeParticipant {
	p := activeParticipant{
		UserID:  "unknown",
		Role:    role("110154", "Destination Media"),
		Media:   &media{dcm("110037", "URI")},
		Address: source, AddressType: "1",
	}

	for _, o := range r.Objects {
		if o.Detail != "" {
			p.UserID = o.Detail
		}
	}
	return p
}

func role(c, text string) *code {
	r := dcm(c, text)
	return &r
}

func sender() *code   { return role("110153", "Source Role ID") }
func receiver() *code { return role("110152", "Destination Role ID") }
