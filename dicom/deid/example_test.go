package deid_test

import (
	"crypto/rand"
	"errors"
	"fmt"

	"collimator/dicom"
	"collimator/dicom/deid"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

func ExampleDeidentifier_Apply() {
	ds := dicom.NewDataSet()
	for t, v := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: "1.2.3", tag.StudyInstanceUID: "1.2",
		tag.PatientName: "Doe^Jane", tag.PatientID: "4711", tag.StudyDate: "20260105", tag.Modality: "CT",
	} {
		if err := ds.SetText(t, v); err != nil {
			fmt.Println(err)
			return
		}
	}

	// The key is secret and kept; with the same key the same patient gets the same
	// pseudonym in every object.
	key := make([]byte, deid.KeySize)
	rand.Read(key)
	d := deid.New(key, deid.Profile{})
	out, _, err := d.Apply(ds)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("name is gone:", out.Text(tag.PatientName) != "Doe^Jane")
	fmt.Println("UIDs are others:", out.Text(tag.StudyInstanceUID) != "1.2")
	fmt.Println("date:", out.Text(tag.StudyDate) == "")
	fmt.Println("modality:", out.Text(tag.Modality))
	fmt.Println("identity removed:", out.Text(tag.PatientIdentityRemoved))
	// Output:
	// name is gone: true
	// UIDs are others: true
	// date: true
	// modality: CT
	// identity removed: YES
}

// What is likely to show its patient in the pixels does not pass.
func ExampleRefusedError() {
	ds := dicom.NewDataSet()
	ds.Set(dicom.NewElement(tag.PixelData, dicom.OB, []byte{0, 0}))
	_ = ds.SetText(tag.BurnedInAnnotation, "YES")

	_, _, err := deid.New(make([]byte, deid.KeySize), deid.Profile{}).Apply(ds)
	var refused *deid.RefusedError
	fmt.Println(errors.As(err, &refused), refused.Flags[0] == deid.BurnedIn)
	// Output: true true
}
