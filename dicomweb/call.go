package dicomweb

import (
	"context"
	"net/http"

	"collimator/dicom"
)

// Verb is what a request wants to do.
type Verb string

// The verbs.
const (
	Malformed    Verb = "" // unknown resource, method not allowed or invalid UID, of a request that reads: the answer says why
	Searching    Verb = "search"
	Retrieving   Verb = "retrieve"
	Rendering    Verb = "render"
	Storing      Verb = "store"
	Deleting     Verb = "delete"
	Capabilities Verb = "capabilities"
)

// Level is a level of the studies service.
type Level uint8

// The levels, from the top.
const (
	NoLevel Level = iota
	StudyLevel
	SeriesLevel
	InstanceLevel
)

// String is the level in a word.
func (l Level) String() string {
	return [...]string{"none", "study", "series", "instance"}[min(l, InstanceLevel)]
}

// Part is what of a resource a request asks for.
type Part string

// The parts (PS3.18 10.1). WholePart is the instances themselves.
const (
	WholePart     Part = ""
	MetadataPart  Part = "metadata"
	FramesPart    Part = "frames"
	BulkDataPart  Part = "bulkdata"
	RenderedPart  Part = "rendered"
	ThumbnailPart Part = "thumbnail"
)

// Call is one request on its way to the backend, as an Interceptor sees it.
type Call struct {
	Request *http.Request // its URL and body are patient data
	Verb    Verb
	Level   Level // that is searched, retrieved or deleted
	Resource
	Part   Part
	Frames []int   // numbers from 1
	Query  *Search // of a search; do not change it
	// Reason, when set by an interceptor, reaches the backend with a deletion.
	Reason string

	// Restriction, when set by an interceptor, reaches the backend with every
	// search and selection.
	Restriction any
	// Memory, when set by an interceptor, opens an account for a piece of work that
	// holds n bytes at least, once there is room for them; done gives them back,
	// and all that the account took more. An account that has a method Shrink(int64)
	// gets back what is no longer held at once. Where Memory is nil, nothing is bounded.
	Memory func(ctx context.Context, n int64) (account dicom.Account, done func(), err error)
	// Holder, when set by an interceptor, is in whose name work is done: of the
	// places for rendering one holder leaves some to the next. It is not an
	// identifier that is shown.
	Holder string
	// Observe, when set by an interceptor, sees every match and every instance
	// before the peer gets it, and every stored one afterwards; false withholds
	// a match or an instance.
	Observe func(Observation) bool
	// Answering, when set by an interceptor, is asked before the first byte of an
	// answer to a search leaves, with how many matches it has; its error is answered
	// in their place.
	Answering func(matches int) error
	// Receive, when set by an interceptor, sees each instance on its way in. It
	// may put a reader into Data that reads along; an error refuses the instance.
	Receive func(context.Context, *Incoming) error

	ignored []string // parameters that are not known
	unnamed int      // further ones, whose names are not identifiers
}

// memory opens an account for a piece of work.
func (c *Call) memory(ctx context.Context, n int64) (account dicom.Account, done func(), err error) {
	if c.Memory == nil {
		return nil, func() {}, nil
	}
	return c.Memory(ctx, n)
}

// Observation is one result within a request.
type Observation struct {
	Match    *dicom.DataSet // of a search
	Instance *Instance      // that is retrieved or rendered
	Unsent   bool           // nothing of Instance leaves: it is unchanged, its headers alone were asked for, or the request failed
	Stored   *Stored        // that was taken in; with Err what was refused
	Err      error
	// FailureReason (0008,1197) is the number that the peer gets for what was
	// refused; 0 for all else.
	FailureReason uint16
}

// Outcome is what became of a request.
type Outcome struct {
	Status    int   // of HTTP
	Err       error // why it failed; may hold details that are not for the peer
	Matches   int
	Instances int   // retrieved, rendered or stored
	Failed    int   // not stored
	Bytes     int64 // of the body of the answer, before compression
}

// Interceptor stands between a request and the backend. To let the request
// through it calls next once and returns what next returned; by then the answer
// is written. To refuse it returns an Outcome with a Status or an *Error as Err
// without calling next.
type Interceptor func(ctx context.Context, call *Call, next func(context.Context) Outcome) Outcome

// Unguarded lets every request through. It is for tests and for programs whose
// every peer may do everything; reviewers grep for it.
func Unguarded(ctx context.Context, _ *Call, next func(context.Context) Outcome) Outcome {
	return next(ctx)
}
