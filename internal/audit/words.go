package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Describe puts what was done, reason and objects into a few words.
func (r Record) Describe() string {
	words := []string{r.deed()}
	words = append(words, r.Reason)
	if r.Peer.Destination != "" {
		words = append(words, "to "+r.Peer.Destination)
	}

	for _, o := range r.Objects {
		words = append(words, o.Study, o.Query, o.Device, o.Person, o.Detail)
		if o.Instances > 0 || o.Matches > 0 {
			words = append(words, fmt.Sprintf("(%d)", o.Instances+o.Matches))
		}
	}

	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// deed says whether images were read, stored or deleted, in a word or two; with
// "not" where that failed. It is empty where the record is of something else.
func (r Record) deed() string {
	word := map[Deed]string{DidRead: "read", DidStore: "stored", DidDelete: "deleted"}[r.Did()]
	switch {
	case word == "":
		return ""
	case r.Event == Transferring:
		return "to be read:"
	case r.Outcome != Success:
		return "not " + word + ":"
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
