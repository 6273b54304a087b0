package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// written is a directory record of a test. What it leads to are numbers of records,
// or, where they are negative, offsets as they stand there.
type written struct {
	kind        string
	next, lower int // 0 for none; the first record is 1
	unused      bool
	fileID      []string
	id          string // Patient ID
}

// craft makes a DICOMDIR of records, as they are told.
func craft(t testing.TB, syntax string, first, last int, records ...written) []byte {
	t.Helper()
	var items [][]byte
	offsets := []uint32{0}
	head := front(t, syntax, 0, 0)
	at := len(head) + sequenceHeadOf(syntax)
	for _, r := range records {
		item := itemOf(t, syntax, r, 0, 0)
		items = append(items, item)
		offsets = append(offsets, uint32(at))
		at += 8 + len(item)
	}

	lead := func(n int) uint32 {
		if n < 0 {
			return uint32(-n)
		}
		return offsets[n]
	}
	b := front(t, syntax, lead(first), lead(last))
	order := binary.ByteOrder(binary.LittleEndian)
	if syntax == uid.ExplicitVRBigEndian {
		order = binary.BigEndian
	}
	word := func(group, element uint16) []byte {
		return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, group), element)
	}
	put := func(parts ...uint32) {
		for _, p := range parts {
			b = append(b, 0, 0, 0, 0)
			order.PutUint32(b[len(b)-4:], p)
		}
	}
	tagOf := func(t dicom.Tag) {
		raw := word(t.Group(), t.Element())
		b = append(b, 0, 0, 0, 0)
		order.PutUint16(b[len(b)-4:], binary.BigEndian.Uint16(raw))
		order.PutUint16(b[len(b)-2:], binary.BigEndian.Uint16(raw[2:]))
	}

	tagOf(tag.DirectoryRecordSequence)
	if syntax != uid.ImplicitVRLittleEndian {
		b = append(b, 'S', 'Q', 0, 0)
	}
	put(uint32(at - len(head) - sequenceHeadOf(syntax)))
	for i, r := range records {
		item := itemOf(t, syntax, r, lead(r.next), lead(r.lower))
		tagOf(tag.Item)
		put(uint32(len(item)))
		b = append(b, item...)
		if len(item) != len(items[i]) {
			t.Fatal("a record changed its length")
		}
	}
	return b
}

func sequenceHeadOf(syntax string) int {
	if syntax == uid.ImplicitVRLittleEndian {
		return 8
	}
	return 12
}

// front is what stands in front of the records.
func front(t testing.TB, syntax string, first, last uint32) []byte {
	t.Helper()
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewText(tag.FileSetID, dicom.CS, "ZZ_TEST"))
	for at, offset := range map[dicom.Tag]uint32{
		tag.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity: first,
		tag.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity:  last,
	} {
		ds.Set(dicom.NewElement(at, dicom.UL, binary.LittleEndian.AppendUint32(nil, offset)))
	}
	b := bytes.NewBuffer(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: uid.MediaStorageDirectory, SOPInstanceUID: "2.25.1", TransferSyntaxUID: syntax,
	}))
	if err := dicom.Encode(b, ds, syntax); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func itemOf(t testing.TB, syntax string, r written, next, lower uint32) []byte {
	t.Helper()
	ds := dicom.NewDataSet()
	flag := uint16(0xFFFF)
	if r.unused {
		flag = 0
	}
	ds.Set(dicom.NewElement(tag.OffsetOfTheNextDirectoryRecord, dicom.UL, binary.LittleEndian.AppendUint32(nil, next)))
	ds.Set(dicom.NewElement(tag.RecordInUseFlag, dicom.US, binary.LittleEndian.AppendUint16(nil, flag)))
	ds.Set(dicom.NewElement(tag.OffsetOfReferencedLowerLevelDirectoryEntity, dicom.UL, binary.LittleEndian.AppendUint32(nil, lower)))
	ds.Set(dicom.NewText(tag.DirectoryRecordType, dicom.CS, r.kind))
	if r.fileID != nil {
		ds.Set(dicom.NewElement(tag.ReferencedFileID, dicom.CS, []byte(strings.Join(r.fileID, `\`))))
	}
	if r.id != "" {
		ds.Set(dicom.NewText(tag.PatientID, dicom.LO, r.id))
	}
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, syntax); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBytes(t testing.TB, b []byte, o Options) *Directory {
	t.Helper()
	d, err := ReadDirectory(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tree is the records as letters, with what is below them in brackets.
func tree(t testing.TB, d *Directory) string {
	t.Helper()
	var below func(list func(func(Record) bool), depth int) string
	below = func(list func(func(Record) bool), depth int) string {
		var b strings.Builder
		for r := range list {
			b.WriteByte(("?" + string(r.Type()))[min(len(r.Type()), 1)])
			if inner := below(r.Children(), depth+1); inner != "" {
				fmt.Fprintf(&b, "(%s)", inner)
			}
		}
		return b.String()
	}
	return below(d.Roots(), 0)
}

func TestTheTreeIsWhatMakesSense(t *testing.T) {
	t.Parallel()
	p := func(next, lower int) written { return written{kind: "PATIENT", next: next, lower: lower} }
	st := func(next, lower int) written { return written{kind: "STUDY", next: next, lower: lower} }
	se := func(next, lower int) written { return written{kind: "SERIES", next: next, lower: lower} }
	im := func(next int) written { return written{kind: "IMAGE", next: next} }
	other := func(kind string, next, lower int) written { return written{kind: kind, next: next, lower: lower} }
	unused := func(r written) written { r.unused = true; return r }
	const odd = -77 // an offset that no record begins at

	for _, c := range []struct {
		name        string
		first, last int
		records     []written
		tree        string
		problems    string
	}{
		{"sound", 1, 1, []written{p(0, 2), st(0, 3), se(0, 4), im(5), im(0)}, "P(S(S(II)))", "[]"},
		{"backwards in the file", 5, 5, []written{im(2), im(0), se(0, 1), st(0, 3), p(0, 4)}, "P(S(S(II)))", "[]"},
		{"empty", 0, 0, nil, "", "[]"},
		{"no offsets at all", 0, 0, []written{p(0, 0), st(0, 0), se(0, 0), im(0), im(0), p(0, 0), st(0, 0), se(0, 0), im(0)},
			"P(S(S(II)))P(S(S(I)))", "[unreached:9]"},
		{"all offsets wrong", odd, odd, []written{p(odd, odd), st(odd, odd), se(odd, odd), im(odd), im(odd)}, "P(S(S(II)))", "[bad-offset:4 unreached:5]"},
		{"one chain broken", 1, 1, []written{p(0, 2), st(0, 3), se(0, 4), im(odd), im(6), im(0)}, "P(S(S(III)))", "[bad-offset:1 unreached:2]"},
		{"a patient nobody leads to", 1, 1, []written{p(0, 2), st(0, 0), p(0, 4), st(0, 0)}, "P(S)P(S)", "[unreached:1]"},
		{"next leads back", 1, 1, []written{p(0, 2), st(0, 3), se(0, 4), im(5), im(4)}, "P(S(S(II)))", "[cycle:1]"},
		{"next leads to itself", 1, 1, []written{p(1, 2), st(2, 3), se(0, 0)}, "P(S(S))", "[cycle:2]"},
		{"lower leads up", 1, 1, []written{p(0, 2), st(0, 3), se(0, 1)}, "P(S(S))", "[shared-record:1]"},
		{"two series share images", 1, 1, []written{p(0, 2), st(0, 3), se(5, 4), im(0), se(0, 4)}, "P(S(S(I)S))", "[shared-record:1]"},
		{"lower leads to a level above", 1, 3, []written{p(3, 2), st(0, 3), p(0, 4), st(0, 0)}, "P(S)P(S)", "[shared-record:1]"},
		{"private circle", 1, 1, []written{p(0, 0), other("PRIVATE", 0, 3), other("PRIVATE", 0, 2)}, "P(P)P", "[cycle:1]"},
		{"private records anywhere", 1, 2, []written{p(2, 3), other("PRIVATE", 0, 0), other("PRIVATE", 4, 0), st(0, 0)}, "P(PS)P", "[]"},
		{"the last of the root is another", 1, 2, []written{p(0, 2), st(0, 0)}, "P(S)", "[bad-offset:1]"},
		{"a type of nobody", 1, 1, []written{p(0, 2), other("ODD THING", 0, 3), se(0, 0)}, "P(?(S))", "[unknown-type:1]"},
		{"no patient record", 1, 1, []written{st(0, 2), se(0, 3), im(0)}, "S(S(I))", "[out-of-place:1]"},
		{"image directly below patient", 1, 1, []written{p(0, 2), im(0)}, "P(I)", "[out-of-place:1]"},
		{"root of other kinds", 1, 4, []written{other("HANGING PROTOCOL", 2, 0), other("PALETTE", 3, 0), other("IMPLANT", 4, 0), other("INVENTORY", 0, 0)}, "HPII", "[]"},
		{"not in use", 1, 1, []written{p(0, 2), st(0, 3), se(0, 4), im(5), unused(im(6)), im(0)}, "P(S(S(II)))", "[not-in-use:1]"},
		{"a series not in use", 1, 1, []written{p(0, 2), st(0, 3), unused(se(5, 4)), im(0), se(0, 0)}, "P(S(S))", "[not-in-use:1]"},
		{"none is in use", 1, 1, []written{unused(p(0, 2)), unused(st(0, 0))}, "P(S)", "[not-in-use:1]"},
		{"left over and not in use", 1, 1, []written{p(0, 0), unused(st(0, 3)), unused(se(0, 0))}, "P", "[]"},
	} {
		for _, syntax := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
			d := readBytes(t, craft(t, syntax, c.first, c.last, c.records...), Options{})
			if got := tree(t, d); got != c.tree {
				t.Errorf("%s, %s: %s, want %s", c.name, uid.Name(syntax), got, c.tree)
			}
			list, _ := d.Problems()
			list = slices.DeleteFunc(list, func(p Problem) bool { return p.Tag == tag.TransferSyntaxUID })
			if got := kinds(list); got != c.problems {
				t.Errorf("%s, %s: %s, want %s\n%v", c.name, uid.Name(syntax), got, c.problems, list)
			}
		}
	}
}

func TestRecordsThatAreNotInUseComeWhenTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	b := craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "PATIENT", lower: 2}, written{kind: "STUDY", unused: true, lower: 3}, written{kind: "SERIES"})
	if got := tree(t, readBytes(t, b, Options{Inactive: true})); got != "P(S(S))" {
		t.Error(got)
	}
	if got := tree(t, readBytes(t, b, Options{})); got != "P" {
		t.Error(got)
	}
}

func TestDamageCostsNoMoreThanWhatIsDamaged(t *testing.T) {
	t.Parallel()
	records := []written{
		{kind: "PATIENT", lower: 2}, {kind: "STUDY", lower: 3}, {kind: "SERIES", lower: 4},
		{kind: "IMAGE", next: 5}, {kind: "IMAGE", next: 6}, {kind: "IMAGE"},
	}
	whole := craft(t, uid.ExplicitVRLittleEndian, 1, 1, records...)
	sequence := len(front(t, uid.ExplicitVRLittleEndian, 0, 0))
	d := readBytes(t, whole, Options{})
	var at []int64
	for r := range d.All() {
		at = append(at, r.Offset())
	}

	for _, c := range []struct {
		name           string
		change         func(b []byte) []byte
		tree, problems string
	}{
		{"sequence too short", func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[sequence+8:], uint32(at[3]-int64(sequence)-12))
			return b
		}, "P(S(S(III)))", "[irregular:1]"},
		{"sequence too long", func(b []byte) []byte { binary.LittleEndian.PutUint32(b[sequence+8:], 1<<20); return b }, "P(S(S(III)))", "[damaged:1]"},
		{"sequence of no length", func(b []byte) []byte { binary.LittleEndian.PutUint32(b[sequence+8:], 0); return b }, "P(S(S(III)))", "[irregular:1]"},
		{"an element runs over its record", func(b []byte) []byte {
			binary.LittleEndian.PutUint16(b[at[4]+8+30+4+6:], 0x7FFF)
			return b
		}, "P(S(S(I?I)))", ""},
		{"filled up with zeros, as sectors are", func(b []byte) []byte { return append(b, make([]byte, 2048)...) }, "P(S(S(III)))", "[irregular:1]"},
		{"no preamble, so that all offsets are too large", func(b []byte) []byte { return b[132:] }, "P(S(S(III)))", ""},
		{"sequence of undefined length without an end", func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[sequence+8:], dicom.UndefinedLength)
			return b
		}, "P(S(S(III)))", "[damaged:1]"},
		{"cut off in the last record", func(b []byte) []byte { return b[:len(b)-6] }, "P(S(S(II?)))", ""},
		{"cut off behind a record", func(b []byte) []byte { return b[:at[5]] }, "P(S(S(II)))", "[bad-offset:1 damaged:1]"},
	} {
		d := readBytes(t, c.change(bytes.Clone(whole)), Options{})
		list, _ := d.Problems()
		if got := tree(t, d); got != c.tree {
			t.Errorf("%s: %s, want %s\n%v", c.name, got, c.tree, list)
		}
		if got := kinds(list); c.problems != "" && got != c.problems || got == "[]" {
			t.Errorf("%s: %s, want %s\n%v", c.name, got, c.problems, list)
		}
	}
}

func TestWhatIsNoDirectoryIsAnError(t *testing.T) {
	t.Parallel()
	object := part10(t, instance(1, 1, 1, 1), uid.ExplicitVRLittleEndian)
	if _, err := ReadDirectory(bytes.NewReader(object), int64(len(object)), Options{}); !errors.Is(err, ErrNotDirectory) {
		t.Errorf("an image: %v", err)
	}
	for _, b := range [][]byte{nil, []byte("ZZPHI"), bytes.Repeat([]byte("ZZPHI text "), 100)} {
		if _, err := ReadDirectory(bytes.NewReader(b), int64(len(b)), Options{}); err == nil || strings.Contains(err.Error(), "ZZPHI") {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	big := craft(t, uid.ExplicitVRLittleEndian, 0, 0)
	if _, err := ReadDirectory(bytes.NewReader(big), int64(len(big)), Options{Limits: Limits{Directory: 100}}); err == nil {
		t.Error("larger than allowed and read")
	}
}

func TestNoProblemHasAValue(t *testing.T) {
	t.Parallel()
	d := readBytes(t, craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "ZZPHI^NAME", next: -9, lower: -8, id: "ZZPHI", fileID: []string{"ZZPHI"}}), Options{})
	list, all := d.Problems()
	for _, p := range list {
		if text := p.String() + fmt.Sprintf("%+v", p); strings.Contains(text, "ZZPHI") {
			t.Error(text)
		}
	}
	if all < 3 {
		t.Errorf("%d problems", all)
	}
}

func TestRecordsHaveTheirCharacterSet(t *testing.T) {
	t.Parallel()
	ds := dicom.NewDataSet()
	if err := ds.SetCharacterSet("ISO_IR 100"); err != nil {
		t.Fatal(err)
	}
	ds.Set(dicom.NewText(tag.PatientName, dicom.PN, "ZZPHI^Ärger"))
	record, _, err := compose(Patient, ds, 1, nil)
	if err != nil {
		t.Fatal(err)
	}

	plain := craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "PATIENT"})
	at := len(plain) - len(itemOf(t, uid.ExplicitVRLittleEndian, written{kind: "PATIENT"}, 0, 0))
	b := append(bytes.Clone(plain[:at]), record...)
	binary.LittleEndian.PutUint32(b[at-4:], uint32(len(record)))
	binary.LittleEndian.PutUint32(b[at-12:], uint32(len(record)+8))
	for r := range readBytes(t, b, Options{}).Roots() {
		got, err := r.Load()
		if err != nil || got.Text(tag.PatientName) != "ZZPHI^Ärger" {
			t.Errorf("%v", err)
		}
	}
}

func TestTheOrderOfRecordsInTheFileDoesNotCount(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 2))
		var inOrder []written
		below(r, &inOrder, []string{"PATIENT", "STUDY", "SERIES", "IMAGE"})
		last := 1
		for inOrder[last-1].next != 0 {
			last = inOrder[last-1].next
		}
		want := tree(t, readBytes(t, craft(t, uid.ExplicitVRLittleEndian, 1, last, inOrder...), Options{}))

		// Record i goes to place[i-1].
		place := r.Perm(len(inOrder))
		to := func(n int) int {
			if n == 0 {
				return 0
			}
			return place[n-1] + 1
		}
		shuffled := make([]written, len(inOrder))
		for i, record := range inOrder {
			record.next = to(record.next)
			record.lower = to(record.lower)
			shuffled[place[i]] = record
		}
		d := readBytes(t, craft(t, uid.ExplicitVRLittleEndian, to(1), to(last), shuffled...), Options{})
		if got := tree(t, d); got != want {
			t.Fatalf("seed %d: %s, want %s", seed, got, want)
		}
		if list, _ := d.Problems(); len(list) > 0 {
			t.Fatalf("seed %d: %v", seed, list)
		}
	}
}

// below makes some records of the first kind with some of the others below.
func below(r *rand.Rand, list *[]written, kinds []string) int {
	if len(kinds) == 0 {
		return 0
	}
	first, before := 0, 0
	for range 1 + r.IntN(3) {
		*list = append(*list, written{kind: kinds[0]})
		n := len(*list)
		if before == 0 {
			first = n
		} else {
			(*list)[before-1].next = n
		}
		before = n
		lower := below(r, list, kinds[1:])
		(*list)[n-1].lower = lower
	}
	return first
}

func TestAnIndirectReferenceIsFollowed(t *testing.T) {
	t.Parallel()
	b := craft(t, uid.ExplicitVRLittleEndian, 1, 1, written{kind: "IMAGE"}, written{kind: "MRDR", fileID: []string{"SHARED", "IM1"}})
	d := readBytes(t, b, Options{})
	image, multi := d.entries[0], d.entries[1]
	offset := binary.LittleEndian.AppendUint32(nil, multi.at+12)

	// The first record gets the element, and the second stands behind it.
	element := append([]byte{4, 0, 4, 0x15, 'U', 'L', 4, 0}, offset...)
	b = slices.Concat(b[:image.end], element, b[image.end:])
	binary.LittleEndian.PutUint32(b[image.at+4:], image.end-image.content+12)
	binary.LittleEndian.PutUint32(b[image.at-4:], uint32(len(b))-image.at)

	d = readBytes(t, b, Options{})
	for r := range d.Roots() {
		ref, ok, err := r.Reference()
		if err != nil || !ok || !slices.Equal(ref.FileID, []string{"SHARED", "IM1"}) {
			t.Errorf("%q, %v, %v", ref.FileID, ok, err)
		}
	}
	if got := tree(t, d); got != "I" {
		t.Errorf("%s", got)
	}
}

func TestADeflatedDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	b := front(t, uid.DeflatedExplicitVRLittleEndian, 0, 0)
	if _, err := ReadDirectory(bytes.NewReader(b), int64(len(b)), Options{}); err == nil || !strings.Contains(err.Error(), "deflated") {
		t.Errorf("%v", err)
	}
}
