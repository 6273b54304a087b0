package guard

import (
	"sync/atomic"
	"testing"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/state"
)

// A frame may be all there is of an image, and its reader slow: what is written
// only at its end is not written by a server that ends before.
func TestBeginTransferringIsWrittenBeforeAPartOfAnImageLeaves(t *testing.T) {
	t.Parallel()
	for _, part := range []dicomweb.Part{dicomweb.FramesPart, dicomweb.RenderedPart, dicomweb.ThumbnailPart, dicomweb.BulkDataPart} {
		d, _ := transferring(t)
		for range 100 {
			call := &dicomweb.Call{Verb: dicomweb.Retrieving, Part: part, Resource: dicomweb.Resource{StudyUID: "1.1", SeriesUID: "1.1.1"}}
			d.followWeb(t.Context(), &Caller{}, call)
			if !call.Observe(dicomweb.Observation{Instance: &dicomweb.Instance{Ref: archive.InstanceRef{StudyUID: "1.1"}}}) {
				t.Fatalf("%s does not leave", part)
			}
		}
		written := d.records()
		if len(written) == 0 || len(written) > sampleBurst {
			t.Fatalf("%s: %d records of 100 requests for a part of one series", part, len(written))
		}
		if r := written[0]; r.Event != audit.Transferring || r.Objects[0].Study != "1.1" || r.Objects[0].Patient != "ZZPHI-1.1" {
			t.Errorf("%s: %+v", part, r)
		}
	}
}

func TestWhereNoRecordMayWaitWhatCannotBeRecordedDoesNotLeave(t *testing.T) {
	t.Parallel()
	for _, part := range []dicomweb.Part{dicomweb.WholePart, dicomweb.FramesPart} {
		d, _ := transferring(t)
		var full = newFull()
		d.Keeper = audit.NewKeeper(full, 0, state.New(d.Now), d.Guard.Log, d.Now)
		call := &dicomweb.Call{Verb: dicomweb.Retrieving, Part: part, Resource: dicomweb.Resource{StudyUID: "1.1", SeriesUID: "1.1.1"}}
		d.followWeb(t.Context(), &Caller{}, call)
		if call.Observe(dicomweb.Observation{Instance: &dicomweb.Instance{Ref: archive.InstanceRef{StudyUID: "1.1"}}}) {
			t.Errorf("%q left", part)
		}
	}
}

func newFull() fullDisk {
	f := fullDisk{new(atomic.Bool)}
	f.full.Store(true)
	return f
}
