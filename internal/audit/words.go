package audit

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Describe says in a few words what was done to what, and behind a colon why, where the record
// has a reason for it.
func (r Record) Describe() string {
	to := ""
	if r.Peer.Destination != "" {
		to = "to " + r.Peer.Destination
	}
	var objects, persons []string
	for _, o := range r.Objects {
		if r.Event != PersonChanged && o.Person != "" && reflect.DeepEqual(o, Object{Person: o.Person}) && len(r.Objects) > 1 {
			persons = append(persons, "for "+o.Person) // who is behind who acted
			continue
		}
		words := o.words(to)
		to = "" // it is said of the first
		if words != "" {
			objects = append(objects, words)
		}
	}

	text := spaced(r.deed(), strings.Join(objects, ", "), to, strings.Join(persons, " "))
	switch {
	case text == "" || r.Reason == "":
		return text + r.Reason
	case r.Outcome == Success && r.deed() == "":
		return r.Reason + "; " + text // it says what was done
	}
	return text + ": " + r.Reason
}

// words are an object with how many there were of it, and where it went.
func (o Object) words(to string) string {
	person := o.Person
	if strings.Contains(o.Detail, person) {
		person = "" // it is named there
	}
	number := ""
	if n := cmp.Or(o.Instances+o.Matches, o.Failed); n > 0 {
		number = fmt.Sprintf("(%d)", n)
	}

	what := spaced(o.Study, o.Query, o.Device, person)
	if o.Study != "" && strings.Contains(o.Detail, " ") { // more than the UID of one that is meant
		return spaced(what, number, to) + ", " + o.Detail
	}
	return spaced(what, o.Detail, number, to)
}

// spaced joins words, but for those that are empty.
func spaced(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// deed says whether images were read, stored or deleted, in a word or two; with
// "not" where that failed, and "to be" where it only begins. It is empty where the record is of something else.
func (r Record) deed() string {
	word := map[Deed]string{DidRead: "read", DidStore: "stored", DidDelete: "deleted"}[r.Did()]
	switch {
	case r.Event == Transferring && r.Action == Create:
		return "to be stored:"
	case r.Event == Transferring:
		return "to be read:"
	case word == "":
		return ""
	case r.Outcome != Success:
		return "not " + word
	}
	return word
}

// Joined returns the records with each transfer in one of them: the images of a study
// that one association brought or, without an association, that one source sent within
// a minute. The record of a transfer stands where its first image stood.
func Joined(list []Record) []Record {
	var out []Record
	last := map[string]int{}
	for _, r := range list {
		key, ok := joinKey(r)
		at, begun := last[key]
		if ok && begun && together(out[at], r) {
			o := &out[at].Objects[len(out[at].Objects)-1]
			o.Instances += r.Objects[len(r.Objects)-1].Instances
			o.Detail = ""
			continue
		}

		if ok {
			r.Objects = slices.Clone(r.Objects)
			last[key] = len(out)
		}

		out = append(out, r)
	}
	return out
}

// together reports that a record which has everything else in common with the first
// of a transfer belongs to it in time as well. An association may take as long as it likes.
func together(first, r Record) bool {
	return r.Association != "" || r.Time.Sub(first.Time) < joinMost
}

// joinMost is how long images without an association count as one transfer.
const joinMost = time.Minute

// joinKey is what images that are shown in one line have in common.
func joinKey(r Record) (string, bool) {
	if r.Did() != DidStore || r.Outcome != Success || r.Reason != "" || len(r.Objects) == 0 {
		return "", false
	}

	o := r.Objects[len(r.Objects)-1]
	words := []string{r.Association, string(r.Door), r.Principal, r.Peer.Address, r.Peer.CallingAETitle, o.Study}
	return strings.Join(words, "\x00"), o.Study != ""
}
