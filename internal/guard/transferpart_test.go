package guard

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"collimator/dicomweb"
	"collimator/internal/archive"
	"collimator/internal/audit"
	"collimator/internal/identity"
	"collimator/internal/policy"
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

// The same UID at the archive and behind a route are two studies, maybe of two patients.
func TestWhatIsSeenAtOnePlaceDoesNotHideWhatIsSeenAtAnother(t *testing.T) {
	t.Parallel()
	d, _ := transferring(t)
	call := &dicomweb.Call{Verb: dicomweb.Retrieving, Part: dicomweb.FramesPart, Resource: dicomweb.Resource{StudyUID: "1.1", SeriesUID: "1.1.1"},
		Request: httptest.NewRequest(http.MethodGet, "/", nil)}
	see := func(c *Caller, ref any) {
		d.followWeb(t.Context(), c, call)
		call.Observe(dicomweb.Observation{Instance: &dicomweb.Instance{Ref: ref}})
		d.recordRefusedCaller(t.Context(), c, c.webEntry(call, audit.MinorFailure, "not granted"))
		c.session = &identity.Session{ID: "s"}
		d.alarm(t.Context(), c, "1.1", "a good reason")
	}
	for range 2 * sampleBurst {
		see(&Caller{who: policy.Principal{Name: "grace"}}, archive.InstanceRef{StudyUID: "1.1"})
	}

	d.records()
	c := &Caller{who: policy.Principal{Name: "grace"}}
	c.come(d.Guard, &Service{Name: "PACS"})
	see(c, Passing{StudyUID: "1.1", Patient: "ZZPHI-2"})
	if after := d.records(); len(after) != 3 || after[0].Objects[0].Patient != "ZZPHI-2" {
		t.Errorf("%+v", after)
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
