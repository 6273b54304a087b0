package dicom_test

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func ExampleDecode() {
	ds := dicom.NewDataSet()
	for _, err := range []error{
		ds.SetText(tag.SpecificCharacterSet, "ISO_IR 192"),
		ds.SetText(tag.PatientName, "Yamada^Tarou=山田^太郎"),
		ds.SetInt(tag.Rows, 512),
	} {
		if err != nil {
			fmt.Println(err)
		}
	}
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		fmt.Println(err)
	}
	got, err := dicom.Decode(&b, dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		fmt.Println(err)
	}
	el, _ := got.Get(tag.PatientName)
	fmt.Println(got)
	fmt.Println(el)
	fmt.Println(got.PersonName(tag.PatientName).Ideographic().Reveal())
	// Output:
	// data set of 3 elements
	// (0010,0010) PN 26 bytes
	// 山田^太郎
}

func ExampleDecoder() {
	raw := "\x10\x00\x20\x00LO\x04\x001234"
	d := dicom.NewDecoder(bytes.NewBufferString(raw), dicom.DecodeOptions{TransferSyntax: uid.ExplicitVRLittleEndian})
	for {
		ev, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(ev.Tag, ev.VR, ev.Length, "bytes at", ev.ValueOffset)
	}
	// Output: (0010,0020) LO 4 bytes at 8
}

func ExampleWriteJSON() {
	ds := dicom.NewDataSet()
	if err := ds.SetText(tag.Modality, "CT"); err != nil {
		fmt.Println(err)
	}
	if err := dicom.WriteJSON(os.Stdout, ds, dicom.JSONOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output: {"00080060":{"vr":"CS","Value":["CT"]}}
}
