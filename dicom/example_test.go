package dicom_test

import (
	"bufio"
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

// Large values are left in the file until they are opened.
func ExampleOpenFile() {
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OW, make([]byte, 1<<20)))
	b := bytes.NewBuffer(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: "1.2.3", TransferSyntaxUID: uid.ExplicitVRLittleEndian,
		ImplementationClassUID: dicom.ImplementationClassUID,
	}))
	if err := dicom.Encode(b, ds, uid.ExplicitVRLittleEndian); err != nil {
		fmt.Println(err)
		return
	}

	f, err := dicom.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()), dicom.DecodeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	pixels, _ := f.DataSet.Get(tag.PixelData)
	bulk, left := pixels.Bulk()
	fmt.Println(uid.Name(f.TransferSyntax), left, bulk.Length)
	// Output: Explicit VR Little Endian true 1048576
}

func ExamplePeek() {
	ds := dicom.NewDataSet()
	_ = ds.SetText(tag.SOPInstanceUID, "1.2.3")
	_ = ds.SetText(tag.StudyInstanceUID, "1.2")
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, uid.ExplicitVRLittleEndian); err != nil {
		fmt.Println(err)
		return
	}

	// The stream still has every byte afterwards.
	r := bufio.NewReaderSize(&b, dicom.PeekSize)
	found := dicom.Peek(r, uid.ExplicitVRLittleEndian, tag.SOPInstanceUID, tag.StudyInstanceUID)
	rest, err := io.Copy(io.Discard, r)
	fmt.Println(found[tag.SOPInstanceUID], found[tag.StudyInstanceUID], rest, err)
	// Output: 1.2.3 1.2 26 <nil>
}
