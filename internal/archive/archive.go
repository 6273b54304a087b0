// Package archive keeps instances: it takes them in, indexes them, finds them
// and hands them out. The bytes go to a blob store as Part 10 files
// (PS3.10 7), the index to the database. It covers the information models of
// PS3.4 C.6 with the matching of C.2.2.2, and what storage commitment asks
// (PS3.4 J). It speaks to no network and decides about no caller: a Scope says
// what a caller may see, the door makes it.
//
// An instance is acknowledged when its file and its rows are durable. The file
// is stored first: a process that is killed in between leaves a file that no
// row names. No file is removed because a row is missing: SetAside puts such
// files where somebody can look at them. The first content under a SOP Instance UID
// stays; whatever contradicts it is held in quarantine.
package archive

import (
	"context"
	"sync"
	"time"

	"collimator/dicom"
	"collimator/internal/archive/index"
	"collimator/internal/blob"
	"collimator/internal/db"
	"collimator/internal/fault"
)

// Options are the parts of an archive. DB and Blobs are needed.
type Options struct {
	DB    *db.DB
	Blobs blob.Store

	// RetrieveAETitle is what (0008,0054) says in answers; empty leaves it out.
	RetrieveAETitle string

	// Record, when set, is called in the transaction that stores an instance or
	// puts one into quarantine: what it writes is kept if and only if the event
	// took place. An error undoes the event. It may be called again for an event
	// whose transaction was undone: nothing but what it writes with tx counts.
	Record func(ctx context.Context, tx *db.Tx, e Event) error

	// Inspect, when set, looks at a data set whose file is stored, before it has
	// rows. Values that are not in memory can be opened until it returns.
	Inspect func(context.Context, Inspected) Inspection
	// LetThrough is asked when somebody releases what was held back at a route of the
	// gate; nil refuses it.
	LetThrough LetThrough

	// Room, when set, is asked before an instance is written, and again and again
	// while it comes: an error of fault.Unavailable refuses it.
	Room func() error

	// CharacterSet says in which character set a source writes that declares
	// none: defined terms of PS3.3 C.12.1.1.2. Nil means the default repertoire.
	CharacterSet func(Source) []string

	Limits Limits
	Now    func() time.Time // nil means time.Now
}

// Limits bound what a caller can cost. A field that is zero has its default.
type Limits struct {
	Size              int64 // bytes of one data set; default 16 GiB
	Header            int64 // bytes of the values of one data set kept in memory; default 32 MiB
	Depth             int   // sequences inside one another; default 64
	Keys              int   // keys of a query, at all depths; default 512
	Elements          int   // elements and items of one data set, at all depths; default 8 million
	Scanned           int   // rows a query may look at that it cannot find by an index; default 500,000
	QuarantineEntries int   // held back at the same time; default 10,000
	QuarantineBytes   int64 // held back at the same time; default 64 GiB
	QuarantineShare   int   // entries of one principal; default a fourth of QuarantineEntries
}

func (l Limits) withDefaults() Limits {
	def(&l.Size, 16<<30)
	def(&l.Header, 32<<20)
	def(&l.Depth, 64)
	def(&l.Keys, 512)
	def(&l.Elements, 8_000_000)
	def(&l.Scanned, 500_000)
	def(&l.QuarantineEntries, 10_000)
	def(&l.QuarantineBytes, 64<<30)
	def(&l.QuarantineShare, max(l.QuarantineEntries/4, 1))
	return l
}

func def[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Archive is an open archive. It is safe for concurrent use.
type Archive struct {
	o      Options
	limits Limits
	now    func() time.Time

	replaying bool // this is the index of a Replay

	queueMu sync.Mutex
	queue   []*pending

	commitMu sync.Mutex // held by whoever commits the queue

	searching chan struct{} // held while a page of a query is read

	flightMu sync.Mutex
	flight   map[string]int // keys of files on their way to a row: not to be removed
}

// searches is how many queries read the index at a time: less than the
// connections there are, so that slow ones keep nobody from being let in.
const searches = 2

// search reads the index for a query.
func (a *Archive) search(ctx context.Context, f func(tx *db.Tx) error) error {
	select {
	case a.searching <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.searching }()
	return a.o.DB.Read(ctx, f)
}

// Open makes an archive of its parts. It starts nothing: see SetAside and Upgrade.
func Open(o Options) (*Archive, error) {
	if o.DB == nil || o.Blobs == nil {
		return nil, fault.New(fault.Invalid, "archive: a database and a blob store are needed")
	}
	a := &Archive{o: o, limits: o.Limits.withDefaults(), now: o.Now, flight: map[string]int{}, searching: make(chan struct{}, searches)}
	if a.now == nil {
		a.now = time.Now
	}
	return a, nil
}

// EventKind is what happened to an instance.
type EventKind string

// The events of an archive.
const (
	Stored      EventKind = "stored"
	Quarantined EventKind = "quarantined"
	Refused     EventKind = "refused" // as Quarantined, but not kept: there was no room
	Released    EventKind = "released"
	Destroyed   EventKind = "destroyed" // from quarantine
	Deleted     EventKind = "deleted"   // from the archive
)

// Removes reports an event after which the file is to be gone, unless something
// else names it.
func (k EventKind) Removes() bool { return k == Deleted || k == Destroyed }

// Event is something that happened to an instance, for the record.
type Event struct {
	Kind     EventKind
	Reason   Reason // of a quarantine
	Instance InstanceRef
	// StoredDigest is of the file that is kept under the UID, for a quarantine.
	StoredDigest string
	Source       Source
	Time         time.Time
	// Together stands with the last of the instances that were deleted together.
	Together *DeletedTogether
	// Accepted: somebody decided to store it, as a release from quarantine does.
	Accepted bool
	// CharacterSet is the terms that were assumed for a data set without any.
	CharacterSet string
	// Why somebody removed what was set aside, or what an inspection found.
	Why string
	// Whose it is by its own word, of what is held back or refused.
	Whose Whose
}

// Source says where an instance came from.
type Source = index.Source

// Door is the way in of an instance.
type Door = index.Door

// InstanceRef names a stored instance and its file.
type InstanceRef = index.Ref

// bulkThreshold is the length in bytes above which a value is not part of the
// header in the index and is read from the file.
const bulkThreshold = 4 << 10

func (a *Archive) dicomLimits() dicom.Limits {
	return dicom.Limits{Header: a.limits.Header, Depth: a.limits.Depth, Elements: a.limits.Elements, Inflated: a.limits.Size}
}
