//go:build interop

package interop_test

import (
	"bytes"
	"compress/flate"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/synth"
	"collimator/interop/harness"
)

// attacksOnStores are regular objects that take the place of others, or of nothing.
func attacksOnStores() []gateAttack {
	return []gateAttack{{
		id: "DM-06", what: "other content under a UID replaces the first", kind: storescp,
		harm: func(v *victim) {
			if got := replaces(v.itself(), v); got != "forged" {
				v.t.Errorf("storescp has %q: there is no harm to keep away", got)
			}
		},
		attempt: func(g *gated) {
			if got := replaces(g.through(evil), g.victim); got != "true" {
				g.t.Errorf("the system behind has %q", got)
			}
		},
	}, {
		id: "DM-07", what: "an image of another patient comes into a study", kind: qrscp,
		harm: func(v *victim) {
			if got := mixes(v.itself(), v, "other patient in the same study"); got != 2 {
				v.t.Errorf("dcmqrscp keeps %d of the two images: there is no harm to keep away", got)
			}
		},
		attempt: func(g *gated) {
			if got := mixes(g.through(evil), g.victim, "other patient in the same study"); got != 1 {
				g.t.Errorf("the system behind keeps %d images of the study", got)
			}
		},
	}, {
		id: "DM-07", what: "a series comes into another study", kind: storescp,
		harm: func(v *victim) {
			if got := mixes(v.itself(), v, "series in another study"); got != 2 {
				v.t.Errorf("storescp keeps %d of the two images: there is no harm to keep away", got)
			}
		},
		attempt: func(g *gated) {
			if got := mixes(g.through(evil), g.victim, "series in another study"); got != 1 {
				g.t.Errorf("the system behind keeps %d images of the series", got)
			}
		},
	}, {
		id: "DM-08", what: "a command names another instance than its data set", kind: orthanc,
		why: "all of them compare the two",
		attempt: func(g *gated) {
			if code := misnames(g.through(evil)); code != dimse.DataSetDoesNotMatchSOPClass {
				g.t.Errorf("status %s", code)
			}
		},
	}, {
		id: "DM-09", what: "a study that is a path leads out of the directory of storescp", kind: storescp,
		flags: []string{"--sort-on-study-uid", ""},
		harm: func(v *victim) {
			escapes(v.itself())
			if !outside(v) {
				v.t.Error("nothing was written outside: there is no harm to keep away")
			}
		},
		attempt: func(g *gated) { escapes(g.through(evil)) },
		after: func(v *victim) {
			if outside(v) {
				v.t.Error("something was written outside")
			}
		},
	}, {
		id: "DS-09", what: "a program in a private element is kept", kind: qrscp,
		harm: func(v *victim) {
			carries(v.itself(), uid.SecondaryCaptureImageStorage, tag.New(0x0099, 0x1001), hostileProgram())
			if !v.holds(hostileProgram()) {
				v.t.Error("dcmqrscp does not keep it: there is no harm to keep away")
			}
		},
		attempt: func(g *gated) {
			for _, at := range []tag.Tag{tag.New(0x0099, 0x1001), tag.New(0x7FE1, 0x1001), tag.DataSetTrailingPadding, tag.PixelData} {
				if code := carries(g.through(evil), uid.SecondaryCaptureImageStorage, at, hostileProgram()); code.Class() != dimse.ClassFailure {
					g.t.Errorf("in %s: %s", at, code)
				}
			}
		},
		after: func(v *victim) {
			if v.holds(hostileProgram()) {
				v.t.Error("the system behind has it")
			}
		},
	}, {
		id: "FL-04", what: "a document that runs a script when it is opened is kept", kind: orthanc,
		harm: func(v *victim) {
			carries(v.itself(), uid.EncapsulatedPDFStorage, tag.EncapsulatedDocument, activeDocument())
			if !v.holds(activeDocument()) {
				v.t.Error("Orthanc does not keep it: there is no harm to keep away")
			}
		},
		attempt: func(g *gated) {
			if code := carries(g.through(evil), uid.EncapsulatedPDFStorage, tag.EncapsulatedDocument, activeDocument()); code.Class() != dimse.ClassFailure {
				g.t.Errorf("status %s", code)
			}
		},
		after: func(v *victim) {
			if v.holds(activeDocument()) {
				v.t.Error("the system behind has it")
			}
		},
	}}
}

// replaces stores an image and a forged one under its UID, and gives what the victim has.
func replaces(to *target, v *victim) string {
	v.t.Helper()
	ds := imageOf(v.t, uid.New())
	instance := ds.Text(tag.SOPInstanceUID)
	for _, content := range []string{"true", "forged"} {
		if err := ds.SetText(tag.StudyDescription, content); err != nil {
			v.t.Fatal(err)
		}
		to.put(ds)
	}
	for _, has := range v.kept() {
		if has.Text(tag.SOPInstanceUID) == instance {
			return has.Text(tag.StudyDescription)
		}
	}
	return ""
}

// mixes sends an image, and another one that contradicts it, and counts those of the series that are
// kept.
func mixes(to *target, v *victim, name string) (kept int) {
	to.t.Helper()
	for _, c := range synth.Conflicts(uint64(len(v.kind))) {
		if c.Name != name {
			continue
		}
		for _, f := range []synth.HostileDataSet{c.First, c.Second} {
			if _, err := to.store(f.Instance.SOPClassUID, f.Instance.SOPInstanceUID, f.TransferSyntax, f.Open()); err != nil {
				to.t.Errorf("%s: %v", name, err)
			}
		}
		for _, has := range v.kept() {
			if has.Text(tag.SeriesInstanceUID) == c.First.Instance.SeriesInstanceUID {
				kept++
			}
		}
		return kept
	}
	to.t.Fatal("there is no such conflict")
	return 0
}

// misnames sends an image under the UID of another.
func misnames(to *target) dimse.StatusCode {
	to.t.Helper()
	for _, c := range synth.Conflicts(90) {
		if c.ID != "DM-08" {
			continue
		}
		code, err := to.store(c.Second.Instance.SOPClassUID, c.Claimed, c.Second.TransferSyntax, c.Second.Open())
		if err != nil {
			to.t.Errorf("%s: %v", c.Name, err)
		}
		return code
	}
	to.t.Fatal("there is no such conflict")
	return 0
}

// escapes sends images of studies and series that are paths.
func escapes(to *target) {
	to.t.Helper()
	for _, path := range []string{"..", "../../escaped", "/tmp/escaped"} {
		for _, bad := range []func(in *synth.Instance){
			func(in *synth.Instance) { in.StudyInstanceUID = path },
			func(in *synth.Instance) { in.SeriesInstanceUID = path },
		} {
			in := synth.NewInstance(91, "path"+path)
			bad(&in)
			_, _ = to.store(in.SOPClassUID, in.SOPInstanceUID, uid.ExplicitVRLittleEndian, bytes.NewReader(synth.WithUIDs(in)))
		}
	}
}

// outside reports that a victim wrote beside its directory.
func outside(v *victim) bool {
	v.t.Helper()
	for _, path := range harness.Files(v.t, filepath.Dir(v.area)) {
		if !strings.HasPrefix(path, v.area+"/") && strings.Contains(filepath.Base(path), "2.25.") {
			return true
		}
	}
	return false
}

// hostileProgram begins like a Windows program.
func hostileProgram() []byte {
	b := append([]byte("MZ"), bytes.Repeat([]byte("EVIL"), 300)...)
	copy(b[60:], []byte{0x80, 0, 0, 0})
	copy(b[0x80:], "PE\x00\x00")
	return b
}

// activeDocument runs a script when it is opened.
func activeDocument() []byte {
	return []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
}

// carries stores an object with bytes in an element.
func carries(to *target, class string, at tag.Tag, b []byte) dimse.StatusCode {
	to.t.Helper()
	ds := imageOf(to.t, uid.New())
	if err := ds.SetText(tag.SOPClassUID, class); err != nil {
		to.t.Fatal(err)
	}
	if class == uid.EncapsulatedPDFStorage {
		ds.Delete(tag.PixelData)
		ds.Set(dicom.NewText(tag.MIMETypeOfEncapsulatedDocument, dicom.LO, "application/pdf"))
	}
	ds.Set(dicom.NewElement(at, dicom.OB, b))
	return to.put(ds)
}

// attacksOnDataSets are objects that no reader should take.
func attacksOnDataSets() []gateAttack {
	all := []gateAttack{{
		id: "DS-02", what: "half a megabyte that becomes hundreds fills the memory of Orthanc", kind: orthanc,
		harm: func(v *victim) {
			before := v.peak()
			inflates(v.itself())
			if grown := v.peak() - before; grown < 200 {
				v.t.Errorf("Orthanc took %d MiB: there is no harm to keep away", grown)
			}
		},
		attempt: func(g *gated) {
			before := g.victim.peak()
			if code, err := inflates(g.through(evil)); err == nil && code == dimse.Success {
				g.t.Error("it goes through")
			}
			if grown := g.victim.peak() - before; grown > 64 {
				g.t.Errorf("Orthanc took %d MiB", grown)
			}
		},
	}, {
		id: "DS-03", what: "values longer than their stream take all of Orthanc", kind: orthanc,
		harm:    func(v *victim) { blocksOrthanc(v, "DS-03") },
		attempt: refusesAll("DS-03"),
	}, {
		id: "DS-04", what: "delimiters in the wrong place are taken", kind: qrscp,
		harm:    succeeds("DS-04"),
		attempt: refusesAll("DS-04"),
	}, {
		id: "DS-05", what: "fragments that lie take all of Orthanc", kind: orthanc,
		harm:    func(v *victim) { blocksOrthanc(v, "DS-05") },
		attempt: refusesAll("DS-05"),
	}, {
		id: "DS-10", what: "an identity that stands there twice is taken", kind: qrscp,
		harm:    succeeds("DS-10"),
		attempt: refusesAll("DS-10"),
	}, {
		id: "DS-11", what: "a data set in another syntax than its context takes all of Orthanc", kind: orthanc,
		harm:    func(v *victim) { blocksOrthanc(v, "DS-11") },
		attempt: refusesAll("DS-11"),
	}}
	for _, kind := range []string{storescp, orthanc} {
		all = append(all, gateAttack{
			id: "DS-01", what: "a hundred thousand sequences inside one another end " + kind, kind: kind,
			harm: func(v *victim) {
				for _, d := range hostileOf("DS-01")[:1] {
					_, _ = v.itself().storeHostile(d)
				}
				if !v.dies() {
					v.t.Errorf("%s goes on: there is no harm to keep away", v.kind)
				}
			},
			attempt: refusesAll("DS-01"),
		})
	}
	return append(all, gateAttack{
		id: "DS-01", what: "a hundred thousand sequences inside one another end the process of an association of dcmqrscp", kind: qrscp,
		harm: func(v *victim) {
			_, err := v.itself().storeHostile(hostileOf("DS-01")[0])
			if err == nil {
				v.t.Error("dcmqrscp goes on: there is no harm to keep away")
			}
		},
		attempt: refusesAll("DS-01"),
	})
}

// hostileOf are the data sets of an attack that must not be taken.
func hostileOf(id string) (all []synth.HostileDataSet) {
	for _, d := range synth.HostileDataSets(92) {
		if d.ID == id && !d.Harmless {
			all = append(all, d)
		}
	}
	return all
}

// succeeds fails the test where a victim takes none of the data sets of an attack.
func succeeds(id string) func(*victim) {
	return func(v *victim) {
		taken := 0
		for _, d := range hostileOf(id) {
			if code, err := v.itself().storeHostile(d); err == nil && code == dimse.Success {
				taken++
			}
		}
		if taken == 0 {
			v.t.Errorf("%s takes none: there is no harm to keep away", v.kind)
		}
	}
}

// refusesAll fails the test where one of the data sets of an attack goes through the gate.
func refusesAll(id string) func(*gated) {
	return func(g *gated) {
		for _, d := range hostileOf(id) {
			code, err := g.through(evil).storeHostile(d)
			if err == nil && code.Class() != dimse.ClassFailure {
				g.t.Errorf("%s: %s", d.Name, code)
			}
			if err != nil && !strings.Contains(err.Error(), "no acceptable presentation context") {
				g.t.Errorf("%s: the association ended: %v", d.Name, err)
			}
		}
	}
}

// blocksOrthanc keeps its four threads waiting for the rest of data sets that end too early.
func blocksOrthanc(v *victim, id string) {
	v.t.Helper()
	var d synth.HostileDataSet
	for _, one := range hostileOf(id) {
		if one.TransferSyntax == uid.ExplicitVRLittleEndian || one.TransferSyntax == uid.RLELossless {
			d = one
			break
		}
	}
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() { _, _ = v.itself().storeHostile(d) })
	}
	v.isBlocked()
	_ = v.cmd.Process.Kill() // it would wait for ever
	all.Wait()
}

// inflates sends a small object that becomes 128 MiB.
func inflates(to *target) (dimse.StatusCode, error) {
	to.t.Helper()
	ds := imageOf(to.t, uid.New())
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, make([]byte, 128<<20)))
	var whole, packed bytes.Buffer
	if err := dicom.Encode(&whole, ds, uid.ExplicitVRLittleEndian); err != nil {
		to.t.Fatal(err)
	}
	z, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		to.t.Fatal(err)
	}
	if _, err := io.Copy(z, &whole); err != nil {
		to.t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		to.t.Fatal(err)
	}
	return to.store(ds.Text(tag.SOPClassUID), ds.Text(tag.SOPInstanceUID), uid.DeflatedExplicitVRLittleEndian, &packed)
}
