package audit

import (
	"slices"
	"strings"
	"time"

	"collimator/internal/fault"
)

// Filter is what records are searched by. What is empty matches all.
type Filter struct {
	Event Event
	// Principal is who acted, as it stands in the record: an AE title, a name,
	// "token ID".
	Principal string
	// Person is somebody who acted, for whom a device, a token or a link acted, or
	// about whom the record is.
	Person  string
	Patient string // Patient ID
	// Studies stand for Patient too where a record names no patient.
	Studies map[string]bool
	Study   string // Study Instance UID
	Address string
	Door    Door
	Route   string // of the gate, or the AE title of the archive
	Did     Deed
	Failed  bool // only what was refused or failed
	// Since belongs to it, Until does not.
	Since, Until time.Time
}

// Matches reports a record that is searched for.
func (f *Filter) Matches(r Record) bool {
	switch {
	case f.Event != "" && r.Event != f.Event,
		f.Principal != "" && r.Principal != f.Principal && r.Peer.CallingAETitle != f.Principal,
		f.Address != "" && r.Peer.Address != f.Address,
		f.Door != "" && r.Door != f.Door,
		f.Route != "" && r.Peer.CalledAETitle != f.Route && r.Peer.Route != f.Route,
		f.Did != "" && r.Did() != f.Did,
		f.Failed && !r.Failed(),
		r.Time.Before(f.Since),
		!f.Until.IsZero() && !r.Time.Before(f.Until),
		f.Person != "" && !r.concerns(f.Person):
		return false
	}

	if f.Study == "" && f.Patient == "" {
		return true
	}
	for _, o := range r.Objects {
		patient := f.Patient == "" || o.Patient == f.Patient || o.Patient == "" && o.Study != "" && f.Studies[o.Study]
		if patient && (f.Study == "" || o.Study == f.Study) {
			return true
		}
	}
	return false
}

// concerns reports a record of what a person did, or of what was done for or to one.
func (r *Record) concerns(person string) bool {
	if r.Principal == person && r.Kind != "device" {
		return true
	}
	for _, o := range r.Objects {
		if o.Person == person {
			return true
		}
	}
	return false
}

// Deed is what was done to images, in a word for people.
type Deed string

// The deeds.
const (
	DidRead   Deed = "read"
	DidStore  Deed = "store"
	DidDelete Deed = "delete"
)

// Did is what the record says was done to images, or was to be; empty where it is
// about something else.
func (r *Record) Did() Deed {
	switch r.Event {
	case Transferring, Transferred, Export:
		switch r.Action {
		case Read:
			return DidRead
		case Create:
			if r.Event == Transferred {
				return DidStore
			}
		case Delete:
			if r.Event == Transferred {
				return DidDelete
			}
		}
	case StudyDeleted, InstancesDeleted:
		return DidDelete
	}
	return ""
}

// ParseDeed reads one of the words.
func ParseDeed(s string) (Deed, error) {
	switch d := Deed(s); d {
	case "", DidRead, DidStore, DidDelete:
		return d, nil
	}
	return "", fault.New(fault.Invalid, "audit: what was done is read, store or delete")
}

// ParseTime reads a day or a time, of this place where no zone is named. A day as
// an end belongs to what is searched.
func ParseTime(s string, end bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}

	if day, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		if end {
			day = day.AddDate(0, 0, 1)
		}
		return day, nil
	}

	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}

	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(form, strings.Replace(s, " ", "T", 1), time.Local); err == nil {
			return t, nil
		}
	}

	return time.Time{}, fault.New(fault.Invalid,
		"audit: a time is a day such as 2026-12-31, or 2026-12-31T08:30, or with its zone as 2026-12-31T08:30:00Z")
}

// Doors are the ways in, as they stand in records.
func Doors() []Door {
	return []Door{DoorDIMSE, DoorPlain, DoorWeb, DoorAPI, DoorCommand, DoorSchedule, DoorHL7, DoorPage}
}

// Known reports an event that is recorded.
func Known(e Event) bool {
	_, ok := eventCodes[e]
	return ok
}

// Events lists the events that are recorded.
func Events() (list []string) {
	for e := range eventCodes {
		list = append(list, string(e))
	}
	slices.Sort(list)
	return list
}

// Set is a list to look things up in.
func Set(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

// Selection names what is asked by, without the values.
func (f *Filter) Selection() string {
	var names []string
	for _, by := range []struct {
		name  string
		given bool
	}{
		{"patient", f.Patient != ""}, {"study", f.Study != ""}, {"person", f.Person != ""}, {"principal", f.Principal != ""},
		{"action", f.Did != ""}, {"event", f.Event != ""}, {"door", f.Door != ""}, {"address", f.Address != ""},
		{"route", f.Route != ""},
		{"failed", f.Failed}, {"since", !f.Since.IsZero()}, {"until", !f.Until.IsZero()},
	} {
		if by.given {
			names = append(names, by.name)
		}
	}

	return strings.Join(names, " ")
}
