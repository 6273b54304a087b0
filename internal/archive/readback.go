package archive

import (
	"bytes"
	"io"
	"iter"

	"collimator/dicom"
)

// readsBack reports that a stored header gives the very data set it was made of:
// the elements with their values, and of the values left out the places. It is
// read as a stream: a data set of millions of items is in memory once.
func readsBack(data []byte, ts dicom.TransferSyntax, ds *dicom.DataSet) bool {
	same := false
	err := unfold(data, func(r io.Reader) error {
		next, stop := iter.Pull(ds.Walk())
		defer stop()
		back := &readBack{d: dicom.NewDecoder(r, storedOptions(ts)), next: next}

		var err error
		same, err = back.same()
		return err
	})

	return err == nil && same
}

// readBack holds the events of a stored header against the elements of a walk.
type readBack struct {
	d     *dicom.Decoder
	next  func() (dicom.Visit, bool)
	value []byte     // scratch
	bulk  dicom.Bulk // whose fragments are being read
	items []int      // how many are still due in the sequences around
}

func (b *readBack) same() (bool, error) {
	for {
		ev, err := b.d.Next()
		if err == io.EOF {
			_, more := b.next()
			return !more, nil
		}
		if err != nil {
			return false, err
		}
		if ok, err := b.event(ev); !ok || err != nil {
			return false, err
		}
	}
}

func (b *readBack) event(ev dicom.Event) (bool, error) {
	top := len(b.items) - 1
	switch ev.Kind {
	case dicom.ElementEvent, dicom.SequenceBegin, dicom.FragmentsBegin:
		v, ok := b.next()
		if !ok || v.Tag != ev.Tag || v.VR != ev.VR || len(v.Path) != ev.Depth {
			return false, nil
		}
		return b.begins(ev, v)
	case dicom.ItemBegin:
		b.items[top]--
	case dicom.SequenceEnd:
		left := b.items[top]
		b.items = b.items[:top]
		return left == 0, nil
	case dicom.FragmentEvent:
		return b.fragment(ev)
	case dicom.FragmentsEnd:
		return len(b.bulk.Fragments) == 0, nil
	}

	return true, nil
}

// begins compares an element with the event that begins it.
func (b *readBack) begins(ev dicom.Event, v dicom.Visit) (bool, error) {
	bulk, out := v.Bulk()
	switch ev.Kind {
	case dicom.SequenceBegin:
		b.items = append(b.items, len(v.Items()))
		return v.Sequence(), nil
	case dicom.FragmentsBegin:
		b.bulk = bulk
		return out && bulk.Encapsulated, nil
	}

	if out {
		return !bulk.Encapsulated && bulk.Offset == ev.ValueOffset && bulk.Length == int64(ev.Length), nil
	}
	return b.bytes(ev, v.Bytes())
}

// fragment compares the offset table by its bytes and a fragment by its place.
func (b *readBack) fragment(ev dicom.Event) (bool, error) {
	if ev.Index == 0 {
		return b.bytes(ev, b.bulk.OffsetTable)
	}
	if len(b.bulk.Fragments) == 0 {
		return false, nil
	}

	due := b.bulk.Fragments[0]
	b.bulk.Fragments = b.bulk.Fragments[1:]
	return due.Offset == ev.ValueOffset && due.Length == ev.Length, nil
}

// bytes compares the value of an event with what it should be.
func (b *readBack) bytes(ev dicom.Event, want []byte) (bool, error) {
	if int64(ev.Length) != int64(len(want)) {
		return false, nil
	}
	b.value = append(b.value[:0], want...)
	if _, err := io.ReadFull(b.d, b.value); err != nil {
		return false, err
	}
	return bytes.Equal(b.value, want), nil
}
