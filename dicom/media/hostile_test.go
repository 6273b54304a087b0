package media

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"collimator/dicom/uid"
)

// chain makes n records of a kind, each leading to the record at its number plus step.
func chain(n, next, lower int, kind string) []written {
	list := make([]written, n)
	for i := range list {
		list[i] = written{kind: kind}
		if to := i + 1 + next; next != 0 && to >= 1 && to <= n {
			list[i].next = to
		}
		if to := i + 1 + lower; lower != 0 && to >= 1 && to <= n {
			list[i].lower = to
		}
	}
	return list
}

func TestHostileDirectoriesAreBounded(t *testing.T) {
	t.Parallel()
	limits := Limits{Records: 3000, Problems: 10, Depth: 8}
	for name, records := range map[string][]written{
		"more records than allowed": chain(5000, 1, 0, "PATIENT"),
		"deep":                      chain(2000, 0, 1, "PRIVATE"),
		"deep backwards":            chain(2000, 0, -1, "PRIVATE"),
		"everything everywhere":     chain(2000, 1, 1, "PRIVATE"),
		"wide and out of place":     chain(2000, 1, 0, "IMAGE"),
		"types of nobody":           chain(2000, 1, 2, "NOBODY"),
	} {
		d := readBytes(t, craft(t, uid.ExplicitVRLittleEndian, 1, 1, records...), Options{Limits: limits})
		checkBounds(t, name, d, limits)
		if list, all := d.Problems(); name != "more records than allowed" && all == 0 || len(list) > limits.Problems {
			t.Errorf("%s: %d of %d problems", name, len(list), all)
		}
	}
}

// checkBounds walks a tree and holds it to its limits.
func checkBounds(t testing.TB, name string, d *Directory, limits Limits) {
	t.Helper()
	seen := map[Record]int{{}: 0}
	for r := range d.All() {
		depth, ok := seen[r.Parent()]
		if !ok {
			t.Fatalf("%s: a record comes before the one above it", name)
		}
		if _, twice := seen[r]; twice {
			t.Fatalf("%s: a record comes twice", name)
		}
		seen[r] = depth + 1
		if depth+1 > limits.Depth {
			t.Fatalf("%s: %d records above one another", name, depth+1)
		}
		r.Load()
		if len(seen) > limits.Records+1 {
			t.Fatalf("%s: %d records", name, len(seen))
		}
	}

	below := 0
	for r := range d.Roots() {
		for range r.Children() {
			below++
		}
	}
	if below > len(seen) {
		t.Fatalf("%s: %d children", name, below)
	}
}

func TestAMillionRecordsCostLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: a DICOMDIR of a million records")
	}
	const n = 1_000_000
	head := front(t, uid.ExplicitVRLittleEndian, 0, 0)
	item := itemOf(t, uid.ExplicitVRLittleEndian, written{kind: "PATIENT"}, 0, 0)
	b := append(head, 4, 0, 0x20, 0x12, 'S', 'Q', 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(n*(8+len(item))))
	one := append(binary.LittleEndian.AppendUint32([]byte{0xFE, 0xFF, 0, 0xE0}, uint32(len(item))), item...)
	b = append(b, bytes.Repeat(one, n)...)

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d := readBytes(t, b, Options{})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if _, all := d.Problems(); d.Len() != n || all != n {
		t.Errorf("%d records, %d problems", d.Len(), all)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 100*n {
		t.Errorf("%d bytes of memory a record", grown/n)
	}
	runtime.KeepAlive(b)
}

func TestDamageEverywhereEnds(t *testing.T) {
	t.Parallel()
	// Records whose only element runs over their end.
	bad := []byte{0xFE, 0xFF, 0, 0xE0, 8, 0, 0, 0, 4, 0, 0, 0x14, 'U', 'L', 0xFF, 0x7F}
	b := append(front(t, uid.ExplicitVRLittleEndian, 0, 0), 4, 0, 0x20, 0x12, 'S', 'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF)
	d := readBytes(t, append(b, bytes.Repeat(bad, 5000)...), Options{})
	if list, all := d.Problems(); d.Len() > 2*mostResumed || len(list) > all {
		t.Errorf("%d records, %d problems", d.Len(), all)
	}
}

func FuzzDirectory(f *testing.F) {
	for _, syntax := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian} {
		f.Add(craft(f, syntax, 1, 1, written{kind: "PATIENT", next: 4, lower: 2, id: "ZZPHI"}, written{kind: "STUDY", lower: 3},
			written{kind: "SERIES", lower: 5}, written{kind: "PRIVATE", lower: 4}, written{kind: "IMAGE", unused: true, fileID: []string{"A", "B"}}))
	}
	limits := Limits{Records: 500, Depth: 6, Problems: 50}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ReadDirectory(bytes.NewReader(b), int64(len(b)), Options{Limits: limits})
		if err != nil {
			return
		}
		checkBounds(t, "fuzz", d, limits)
		for p := range d.Check() {
			_ = p.String()
		}
		if list, all := d.Problems(); len(list) > limits.Problems || len(list) > all {
			t.Errorf("%d of %d problems", len(list), all)
		}
	})
}

func FuzzFileID(f *testing.F) {
	for _, s := range []string{`IMAGES\IM1`, `..\..\etc\passwd`, `/etc/passwd`, `.\A`, "A\x00B", `C:\A`, `A;1\B.`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, _, ok := components(strings.Split(s, `\`))
		if !ok {
			return
		}
		if name := strings.Join(parts, "/"); !fs.ValidPath(name) && strings.ToValidUTF8(name, "") == name {
			t.Errorf("%q leads to %q", s, name)
		}
	})
}

func FuzzHead(f *testing.F) {
	for _, syntax := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian} {
		f.Add(part10(f, instance(1, 1, 1, 1), syntax))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for o := range Scan(fstest.MapFS{"IM1": {Data: b}}, Options{}) {
			if o.Head == nil && len(o.Problems) == 0 {
				t.Error("no object and no problem")
			}
		}
	})
}
