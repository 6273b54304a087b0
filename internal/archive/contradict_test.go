package archive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/internal/db"
)

// outcome of sending other bytes under a stored UID.
func other(t *testing.T, a *opened, in Incoming) {
	t.Helper()
	r, err := a.Ingest(t.Context(), in)
	c, ok := errors.AsType[*ConflictError](err)
	if !ok {
		t.Errorf("duplicate=%v err=%v; want a conflict that is held", r.Duplicate, err)
	} else if c.Reason != DifferentContent || c.Quarantine == 0 {
		t.Errorf("%+v", c)
	}
}

// A text longer than the piece that is compared, whose first piece ends in blanks.
func TestTextBehindALongPaddingIsNotPadding(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	short := image(t, 1, 1, 1)
	short.Set(dicom.NewElement(tag.TextValue, dicom.UT, []byte("no tumour ")))
	store(t, a, short)
	long := image(t, 1, 1, 1)
	v := append([]byte("no tumour"), bytes.Repeat([]byte(" "), 64<<10-9)...)
	v = append(v, []byte("CORRECTION: tumour found")...)
	long.Set(dicom.NewElement(tag.TextValue, dicom.UT, v))
	other(t, a, incoming(t, long))
}

// The same with bytes, one value of odd length.
func TestBytesBehindAZeroAreNotPadding(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	long := image(t, 1, 1, 1)
	v := bytes.Repeat([]byte{7}, 64<<10)
	v[len(v)-1] = 0
	v = append(v, 9, 9, 9, 9)
	long.Set(dicom.NewElement(0x00091010, dicom.OB, v))
	store(t, a, long)
	data := encoded(t, long, uid.ExplicitVRLittleEndian)
	head := []byte{0x09, 0, 0x10, 0x10, 'O', 'B', 0, 0}
	at := bytes.Index(data, head)
	cut := slices.Clone(data[:at+8])
	cut = binary.LittleEndian.AppendUint32(cut, 64<<10-1)
	cut = append(cut, data[at+12:at+12+64<<10-1]...)
	cut = append(cut, data[at+12+len(v):]...)
	other(t, a, sent(t, long, cut, uid.ExplicitVRLittleEndian))
}

// The fragments are the same, what they mean is not.
func TestFragmentsUnderAnotherTransferSyntaxAreAnotherObject(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := image(t, 1, 1, 1)
	ds.Delete(tag.PixelData)
	data := encoded(t, ds, uid.ExplicitVRLittleEndian)
	data = append(data, 0xE0, 0x7F, 0x10, 0, 'O', 'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF)
	data = append(data, 0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0)
	data = append(data, 0xFE, 0xFF, 0, 0xE0, 4, 0, 0, 0, 1, 2, 3, 4)
	data = append(data, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0)
	if _, err := a.Ingest(t.Context(), sent(t, ds, data, "1.2.840.10008.1.2.5")); err != nil {
		t.Fatal(err)
	}
	other(t, a, sent(t, ds, data, "1.2.840.10008.1.2.4.90"))
}

func explicit(group, element uint16, vr string, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, group)
	b = binary.LittleEndian.AppendUint16(b, element)
	b = append(b, vr[0], vr[1], 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

func beforePixels(data, extra []byte) []byte {
	at := bytes.LastIndex(data, []byte{0xE0, 0x7F, 0x10, 0x00, 'O', 'W'})
	return append(append(slices.Clone(data[:at]), extra...), data[at:]...)
}

// Bytes that are no sequence, where a sequence is stored.
func TestBytesThatAreNoSequenceAreHeldAsAnotherContent(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := image(t, 1, 1, 1)
	plain := encoded(t, ds, uid.ExplicitVRLittleEndian)
	item := []byte{0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0}
	if _, err := a.Ingest(t.Context(), sent(t, ds, beforePixels(plain, explicit(0x0029, 0x1010, "SQ", item)), uid.ExplicitVRLittleEndian)); err != nil {
		t.Fatal(err)
	}
	other(t, a, sent(t, ds, beforePixels(plain, explicit(0x0029, 0x1010, "UN", []byte("garbage! not an item"))), uid.ExplicitVRLittleEndian))
}

// A value of VR UN that ends its sequence early and goes on with what looks like
// further elements.
func TestValueThatEndsItsSequenceEarlyIsNotTwoElements(t *testing.T) {
	t.Parallel()
	a := openTest(t)
	ds := image(t, 1, 1, 1)
	plain := encoded(t, ds, uid.ExplicitVRLittleEndian)
	item := []byte{0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0}
	two := append(explicit(0x0029, 0x1010, "SQ", item), explicit(0x0029, 0x1011, "SQ", item)...)
	if _, err := a.Ingest(t.Context(), sent(t, ds, beforePixels(plain, two), uid.ExplicitVRLittleEndian)); err != nil {
		t.Fatal(err)
	}
	v := append(slices.Clone(item), 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0)
	v = append(v, 0x29, 0, 0x11, 0x10, 0xFF, 0xFF, 0xFF, 0xFF) // implicit, undefined length
	v = append(v, item...)
	other(t, a, sent(t, ds, beforePixels(plain, explicit(0x0029, 0x1010, "UN", v)), uid.ExplicitVRLittleEndian))
}

// What gave way comes back as it was read: in the character set that was assumed
// for it.
func TestWhatGaveWayComesBackAsItWas(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	a.o.CharacterSet = func(Source) []string { return []string{"ISO_IR 100"} }
	latin := func(desc string) Incoming {
		ds := image(t, 1, 1, 1, tag.StudyDescription, desc)
		ds.Delete(tag.SpecificCharacterSet)
		ds.Set(dicom.NewElement(tag.PatientName, dicom.PN, []byte("ZZPHI^M\xfcller")))
		in := incoming(t, ds)
		in.Source.Principal = "modality"
		return in
	}
	if _, err := a.Ingest(t.Context(), latin("first")); err != nil {
		t.Fatal(err)
	}
	row := func() (s string) {
		must(t, a.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT i.character_set FROM instance i`).Scan(&s)
		}))
		return s
	}
	before := row()
	_, err := a.Ingest(t.Context(), latin("second"))
	c, ok := errors.AsType[*ConflictError](err)
	if !ok {
		t.Fatal(err)
	}
	_, err = a.Release(t.Context(), c.Quarantine, Source{Principal: "ada"})
	must(t, err)
	list, err := a.Quarantine(t.Context(), 0, 10)
	must(t, err)
	_, err = a.Release(t.Context(), list[0].ID, Source{Principal: "ada"})
	must(t, err)
	if after := row(); after != before {
		t.Errorf("character set %s, was %s", after, before)
	}
}

// An image that came in by itself stays one that came in by itself when the
// first image of its patient is deleted.
func TestReplayAfterTheFirstImageOfAPatientWasDeleted(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	store(t, a.opened, image(t, 1, 1, 1)) // patient ID1
	_, err := a.Ingest(t.Context(), incoming(t, image(t, 1, 1, 2, tag.PatientID, "ZZOTHER")))
	c, ok := errors.AsType[*ConflictError](err)
	if !ok || c.Reason != OtherPatient {
		t.Fatal(err)
	}
	_, err = a.Release(t.Context(), c.Quarantine, Source{Principal: "ada"})
	must(t, err)
	store(t, a.opened, image(t, 1, 1, 3)) // patient ID1, by itself
	_, err = a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", SOPInstanceUID: "1.2.3.1.1.1", Why: "by mistake", Scope: Everything()})
	must(t, err)
	r := a.replay(t)
	defer r.Close()
	apply(t, r, a.statements)
	if list := differences(t, r); len(list) != 0 {
		t.Errorf("%q", list)
	}
	who := func() (s string) {
		must(t, a.db.Read(t.Context(), func(tx *db.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT patient_id FROM study`).Scan(&s)
		}))
		return s
	}
	before := who()
	rebuild(t, a)
	if after := who(); after != before {
		t.Errorf("the study moved from patient %s to %s by a rebuild", before, after)
	}
}

// The same without any decision: issuers.
func TestReplayOfIssuersAfterADeletion(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	store(t, a.opened, image(t, 1, 1, 1, tag.IssuerOfPatientID, "X"))
	store(t, a.opened, image(t, 1, 1, 2)) // no issuer
	_, err := a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", SOPInstanceUID: "1.2.3.1.1.1", Why: "by mistake", Scope: Everything()})
	must(t, err)
	store(t, a.opened, image(t, 1, 1, 3, tag.IssuerOfPatientID, "Y"))
	_, err = a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", SOPInstanceUID: "1.2.3.1.1.3", Why: "by mistake", Scope: Everything()})
	must(t, err)
	store(t, a.opened, image(t, 1, 1, 1, tag.IssuerOfPatientID, "X"))
	// The file of the first statement is there again: the replay stores it at the
	// first statement already.
	r := a.replay(t)
	defer r.Close()
	apply(t, r, a.statements)
	if list := differences(t, r); len(list) != 0 {
		t.Errorf("%q", list)
	}
}

// One source cannot take all bytes of the quarantine.
func TestOneSourceCannotTakeAllBytesOfTheQuarantine(t *testing.T) {
	t.Parallel()
	a := openTest(t, func(o *Options) {
		o.Limits.QuarantineEntries = 1000
		o.Limits.QuarantineShare = 250
		o.Limits.QuarantineBytes = 100_000
	})
	for i := range 40 {
		store(t, a, image(t, 1, 1, i))
	}
	for i := range 30 {
		contradict(t, a, i, "changed", Source{Principal: "loud"})
	}
	if c := contradict(t, a, 35, "changed", Source{Principal: "quiet"}); c.Quarantine == 0 {
		t.Error("one source took all bytes")
	}
}

// What was refused and is stored later is refused no longer, also after a rebuild.
func TestRebuildForgetsWhatIsRefusedNoLonger(t *testing.T) {
	t.Parallel()
	a := openRecorded(t)
	a.limits.QuarantineShare = 0
	store(t, a.opened, image(t, 1, 1, 1))
	store(t, a.opened, image(t, 1, 1, 2))
	contradict(t, a.opened, 1, "changed", Source{Principal: "m"})
	_, err := a.Delete(t.Context(), Deletion{StudyUID: "1.2.3.1", SOPInstanceUID: "1.2.3.1.1.1", Why: "by mistake", Scope: Everything()})
	must(t, err)
	store(t, a.opened, image(t, 1, 1, 1, tag.StudyDescription, "changed"))
	ask := func() string {
		got, err := a.Commit(t.Context(), []SOPReference{{uid.CTImageStorage, "1.2.3.1.1.1"}})
		must(t, err)
		return fmt.Sprint(got)
	}
	before := ask()
	rebuild(t, a)
	if after := ask(); after != before {
		t.Errorf("commitment %s before and %s after the rebuild", before, after)
	}
}
