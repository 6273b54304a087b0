package dicomweb_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
	"collimator/dicomweb"
	"collimator/dicomweb/webtest"
)

// exampleFile is a Part 10 file.
func exampleFile(instance string) []byte {
	ds := dicom.NewDataSet()
	for t, v := range map[dicom.Tag]string{
		tag.SOPClassUID: uid.CTImageStorage, tag.SOPInstanceUID: instance, tag.StudyInstanceUID: "1.2",
		tag.SeriesInstanceUID: "1.2.3", tag.PatientID: "4711", tag.Modality: "CT",
	} {
		_ = ds.SetText(t, v)
	}
	b := bytes.NewBuffer(dicom.AppendMeta(nil, dicom.Meta{
		SOPClassUID: uid.CTImageStorage, SOPInstanceUID: instance, TransferSyntaxUID: uid.ExplicitVRLittleEndian,
		ImplementationClassUID: dicom.ImplementationClassUID,
	}))
	_ = dicom.Encode(b, ds, uid.ExplicitVRLittleEndian)
	return b.Bytes()
}

// one is a sequence of one file.
func one(file []byte) func(yield func(io.Reader, error) bool) {
	return func(yield func(io.Reader, error) bool) { yield(bytes.NewReader(file), nil) }
}

// A handler over a backend, here one in memory. The interceptor decides about every
// request before the backend sees it.
func ExampleNewHandler() {
	mayRead := func(ctx context.Context, call *dicomweb.Call, next func(context.Context) dicomweb.Outcome) dicomweb.Outcome {
		if call.Verb == dicomweb.Deleting || call.Verb == dicomweb.Storing {
			return dicomweb.Outcome{Status: http.StatusForbidden}
		}
		return next(ctx)
	}
	h := dicomweb.NewHandler(&webtest.Backend{}, mayRead, dicomweb.Options{Root: "/dicom-web"})
	server := httptest.NewServer(h)
	defer server.Close()

	c := &dicomweb.Client{Base: server.URL + "/dicom-web"}
	fmt.Println(c.Delete(context.Background(), dicomweb.Resource{StudyUID: "1.2"}))
	// Output: dicomweb: server answered 403 Forbidden
}

func ExampleClient_Store() {
	server := webtest.NewServer()
	defer server.Close()

	report, err := server.Client().Store(context.Background(), "", one(exampleFile("1.2.3.4")))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(report.Stored), "stored,", len(report.Failed), "failed")
	// Output: 1 stored, 0 failed
}

func ExampleClient_Search() {
	server := webtest.NewServer()
	defer server.Close()
	c := server.Client()
	ctx := context.Background()
	if _, err := c.Store(ctx, "", one(exampleFile("1.2.3.4"))); err != nil {
		fmt.Println(err)
		return
	}

	query := url.Values{"ModalitiesInStudy": {"CT"}, "includefield": {"NumberOfStudyRelatedInstances"}}
	for ds, err := range c.Search(ctx, dicomweb.StudyLevel, dicomweb.Resource{}, query) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(ds.Text(tag.StudyInstanceUID), ds.Text(tag.NumberOfStudyRelatedInstances))
	}
	// Output: 1.2 1
}

func ExampleClient_Retrieve() {
	server := webtest.NewServer()
	defer server.Close()
	c := server.Client()
	ctx := context.Background()
	if _, err := c.Store(ctx, "", one(exampleFile("1.2.3.4"))); err != nil {
		fmt.Println(err)
		return
	}

	for part, err := range c.Retrieve(ctx, dicomweb.Resource{StudyUID: "1.2"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		f, err := dicom.ReadFile(part.Data, dicom.DecodeOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.DataSet.Text(tag.Modality), "in", uid.Name(f.TransferSyntax))
	}
	// Output: CT in Explicit VR Little Endian
}
