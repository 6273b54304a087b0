package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/shown"
)

func printRecords(w io.Writer, form string, list []audit.Record, header bool) error {
	if !header && len(list) == 0 {
		return nil
	}
	if form != "json" {
		list = joinedStores(list)
	}
	title := "TIME|EVENT|OUTCOME|WHO|ADDRESS|WHAT"
	if !header && form == "table" {
		for _, r := range list {
			if _, err := fmt.Fprintln(w, shown.Text(strings.Join(recordRow(r), "  "))); err != nil {
				return err
			}
		}
		return nil
	}
	return printList(w, form, list, title, recordRow, "No record matches.")
}

func recordRow(r audit.Record) []string {
	outcome := "done"
	if r.Failed() {
		outcome = "REFUSED OR FAILED"
	}
	return []string{r.Time.Local().Format("2006-01-02 15:04:05"), string(r.Event), outcome, dash(r.Principal), dash(r.Peer.Address), dash(describe(r))}
}

// describe puts what was done, reason and objects into a few words.
func describe(r audit.Record) string {
	words := []string{done(r)}
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

// done is what was done to images, in a word.
func done(r audit.Record) string {
	word := map[audit.Deed]string{audit.DidRead: "read", audit.DidStore: "stored", audit.DidDelete: "deleted"}[r.Did()]
	switch {
	case word == "":
		return ""
	case r.Event == audit.Transferring:
		return "to be read:"
	case r.Outcome != audit.Success:
		return "not " + word + ":"
	}
	return word
}

// joinedStores makes one record of those of the images of a study that came over one
// association, or without one shortly after each other from the same source. It
// stands where the first of them stood.
func joinedStores(list []audit.Record) []audit.Record {
	var out []audit.Record
	last := map[string]int{}
	for _, r := range list {
		key, ok := joinKey(r)
		if at, begun := last[key]; ok && begun && (r.Association != "" || r.Time.Sub(out[at].Time) < joinMost) {
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

// joinMost is how long images without an association count as one transfer.
const joinMost = time.Minute

// joinKey is what images that are shown in one line have in common.
func joinKey(r audit.Record) (string, bool) {
	if r.Did() != audit.DidStore || r.Outcome != audit.Success || r.Reason != "" || len(r.Objects) == 0 {
		return "", false
	}
	o := r.Objects[len(r.Objects)-1]
	return strings.Join([]string{r.Association, string(r.Door), r.Principal, r.Peer.Address, r.Peer.CallingAETitle, o.Study}, "\x00"), o.Study != ""
}
