package synth

import (
	"encoding/binary"
	"slices"

	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// HostileFile is a file whose first part means harm.
type HostileFile struct {
	ID, Name string
	Instance Instance
	File     []byte
	DataSet  []byte // in explicit VR little endian; regular
	// Harmless: the data set can be read all the same.
	Harmless bool
}

// HostileFiles makes the files of the attacks FL-01 and FL-02.
func HostileFiles(seed uint64) []HostileFile {
	var all []HostileFile
	add := func(id, name string, harmless bool, change func(in Instance, file []byte) []byte) {
		in := instance(seed, id+name)
		ds := secondaryCapture(in, layout{}).bytes(layout{})
		file := append(meta(in, uid.ExplicitVRLittleEndian), ds...)
		all = append(all, HostileFile{
			ID: id, Name: name, Instance: in, File: change(in, file), DataSet: ds, Harmless: harmless,
		})
	}

	for _, p := range []struct{ name, head string }{
		{"PE", "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xFF\xFF\x00\x00"},
		{"ELF", "\x7FELF\x02\x01\x01\x00"},
		{"Mach-O", "\xCF\xFA\xED\xFE\x07\x00\x00\x01"},
		{"script", "#!/bin/sh\nexit 1\n"},
		{"HTML", "<html><script>alert(1)</script>"},
		{"PDF", "%PDF-1.4\n"},
		{"ZIP", "PK\x03\x04"},
	} {
		add("FL-01", p.name+" in the preamble", true, func(_ Instance, file []byte) []byte {
			copy(file, p.head)
			return file
		})
	}

	groupLength := func(n uint32) func(Instance, []byte) []byte {
		return func(_ Instance, file []byte) []byte {
			binary.LittleEndian.PutUint32(file[140:], n)
			return file
		}
	}

	add("FL-02", "group length of 4 GiB", true, groupLength(0xFFFFFFFF))
	add("FL-02", "group length of 2 GiB", true, groupLength(0x7FFFFFFE))
	add("FL-02", "group length of zero", true, groupLength(0))
	add("FL-02", "no group length", true, func(_ Instance, file []byte) []byte { return slices.Delete(file, 132, 144) })

	inMeta := func(el rawElement) func(in Instance, file []byte) []byte {
		return func(in Instance, file []byte) []byte {
			head := len(meta(in, uid.ExplicitVRLittleEndian))
			return slices.Insert(file, head, layout{}.append(nil, el)...)
		}
	}

	private := func(vr, value string) rawElement { // a length that lies
		return rawElement{tag: tag.PrivateInformation, vr: vr, value: []byte(value), length: 0xFFFFFFF0}
	}
	add("FL-02", "value of 4 GiB", false, inMeta(private("OB", "short")))
	add("FL-02", "value of 1 MiB", false, inMeta(rawElement{tag: tag.PrivateInformation, vr: "OB", value: make([]byte, 1<<20)}))
	add("FL-02", "VR that does not exist", false, inMeta(private("ZZ", "short!")))
	add("FL-02", "sequence that never ends", false, inMeta(rawElement{tag: 0x00020200, vr: "SQ", length: undefined}))
	add("FL-02", "ends inside the meta information", false, func(_ Instance, file []byte) []byte { return file[:200] })

	return all
}

// Traversal lists what comes in place of a UID in DM-09. None of them is one.
func Traversal() []string {
	return []string{
		"..", ".", "../x", "../../../../etc/passwd", "/etc/x", `a\b`, "CON", "1.2.3/../4", "1..2", ".1.2", "1.2.",
		"1.2.840.10008.5.1.4.1.1.7.1234567890.1234567890.1234567890.1234567", "1.2.3 4", "1.2.x", "-1.2",
		"1.2.3%2e", "1.2.3;rm", "١.٢.٣", "1.2\x00.3",
	}
}

// Conflict is two instances of which the first is regular, and the second must
// not take its place.
type Conflict struct {
	ID, Name      string
	First, Second HostileDataSet
	// Claimed is the SOP Instance UID in the command of the second.
	Claimed string
}

// Conflicts makes the pairs of the attacks DM-06 to DM-08.
func Conflicts(seed uint64) []Conflict {
	var all []Conflict
	add := func(id, name string, change func(in Instance, s rawSet) (Instance, rawSet), claimed func(second Instance) string) {
		in := instance(seed, id+name)
		set := secondaryCapture(in, layout{})
		next, changed := change(in, set)
		all = append(all, Conflict{
			ID: id, Name: name, First: regular(id, name, in, set), Second: regular(id, name, next, changed), Claimed: claimed(next),
		})
	}

	own := func(second Instance) string { return second.SOPInstanceUID }
	again := func(in Instance) Instance {
		in.SOPInstanceUID = UID(seed, in.SOPInstanceUID, "again")
		return in
	}

	add("DM-06", "other pixels under the same UID", func(in Instance, s rawSet) (Instance, rawSet) {
		return in, s.with(rawElement{tag: tag.PixelData, vr: "OB", value: make([]byte, 256)})
	}, own)

	add("DM-06", "other study under the same UID", func(in Instance, _ rawSet) (Instance, rawSet) {
		in.StudyInstanceUID = UID(seed, "forged study")
		return in, secondaryCapture(in, layout{})
	}, own)

	add("DM-07", "other patient in the same study", func(in Instance, _ rawSet) (Instance, rawSet) {
		in = again(in)
		other := []rawElement{text(tag.PatientID, "LO", Marker+"-OTHER"), text(tag.PatientName, "PN", Marker+"^Other")}
		return in, secondaryCapture(in, layout{}).with(other...)
	}, own)

	add("DM-07", "series in another study", func(in Instance, _ rawSet) (Instance, rawSet) {
		in = again(in)
		in.StudyInstanceUID = UID(seed, in.StudyInstanceUID, "again")
		return in, secondaryCapture(in, layout{})
	}, own)

	add("DM-08", "command names another instance", func(in Instance, _ rawSet) (Instance, rawSet) {
		in = again(in)
		return in, secondaryCapture(in, layout{})
	}, func(Instance) string { return UID(seed, "claimed") })

	return all
}

func regular(id, name string, in Instance, s rawSet) HostileDataSet {
	return HostileDataSet{
		ID: id, Name: name, TransferSyntax: uid.ExplicitVRLittleEndian, Instance: in,
		Open: readerOf(s.bytes(layout{})), Harmless: true,
	}
}

// WithUIDs is a small image with any text as UIDs.
func WithUIDs(in Instance) []byte { return secondaryCapture(in, layout{}).bytes(layout{}) }

// NewInstance names an instance that follows from seed and name.
func NewInstance(seed uint64, name string) Instance { return instance(seed, name) }
