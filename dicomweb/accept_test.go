package dicomweb

import (
	"testing"

	"collimator/dicom/uid"
)

func TestAcceptHeadersChooseARepresentation(t *testing.T) {
	t.Parallel()
	native := frameOffers(uid.ExplicitVRLittleEndian, false)
	jls := frameOffers(uid.JPEGLSLossless, true)
	rle := frameOffers(uid.RLELossless, true)
	for _, c := range []struct {
		accept string
		offers []offer
		want   string
	}{
		{"multipart/related; type=application/octet-stream; transfer-syntax=*", jls, `multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{`multipart/related; type="application/octet-stream"; transfer-syntax=*`, native, `multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1`},
		{`multipart/related; type="application/octet-stream"`, native, `multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1`},
		{`multipart/related; type="application/octet-stream"`, jls, ""},
		{`multipart/related; type="application/octet-stream"`, rle, `multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1`},
		{`multipart/related; type="image/jls"`, jls, `multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{`multipart/related; type="image/x-jls"; transfer-syntax=1.2.840.10008.1.2.4.80`, jls, `multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{`multipart/related; type="image/*"`, jls, `multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{"image/jls", jls, "image/jls; transfer-syntax=1.2.840.10008.1.2.4.80"},
		{"application/octet-stream", native, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"},
		{"*/*", jls, `multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{"", jls, `multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{"multipart/related", native, `multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1`},
		{`multipart/related; type="image/jp2", multipart/related; type="image/jls"; q=0.5`, jls, `multipart/related; type="image/jls"; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{`*/*, multipart/related; type="image/jls"; q=0`, jls, `image/jls; transfer-syntax=1.2.840.10008.1.2.4.80`},
		{"image/png;q=0.5, image/jpeg;q=0.4", imageOffers(), "image/png"},
		{"image/jpeg;q=0.4, image/png", imageOffers(), "image/png"},
		{"text/html, image/avif, */*;q=0.8", imageOffers(), "image/jpeg"},
		{"image/*;q=0.1, image/jpeg;q=0", imageOffers(), "image/png"},
		{"*/*;q=0", imageOffers(), ""},
		{"IMAGE/PNG", imageOffers(), "image/png"},
		{"multipart/related; type=image/png", imageOffers(), `multipart/related; type="image/png"`},
		{"application/json", documentOffers(false), "application/json"},
		{`multipart/related; type="application/dicom+xml"`, documentOffers(false), `multipart/related; type="application/dicom+xml"`},
		{"application/dicom+xml", documentOffers(false), ""},
		{"application/dicom+xml", documentOffers(true), "application/dicom+xml"},
		{"*/*", documentOffers(true), "application/dicom+json"},
		{"nonsense", documentOffers(false), ""},
	} {
		o, ok := negotiate(parseAccept([]string{c.accept}), c.offers)
		if got := o.String(); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%q: got %q, want %q", c.accept, got, c.want)
		}
	}
}

func TestTransferSyntaxOfAFileIsChosen(t *testing.T) {
	t.Parallel()
	implicit := &Instance{TransferSyntaxUID: uid.ImplicitVRLittleEndian, TransferSyntaxes: []string{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian}}
	rle := &Instance{TransferSyntaxUID: uid.RLELossless, TransferSyntaxes: []string{uid.RLELossless, uid.ExplicitVRLittleEndian}}
	j2k := &Instance{TransferSyntaxUID: uid.JPEG2000, TransferSyntaxes: []string{uid.JPEG2000}}
	for _, c := range []struct {
		accept string
		i      *Instance
		want   string
	}{
		{`multipart/related; type="application/dicom"`, implicit, uid.ExplicitVRLittleEndian},
		{`multipart/related; type="application/dicom"`, rle, uid.ExplicitVRLittleEndian},
		{`multipart/related; type="application/dicom"`, j2k, ""},
		{`multipart/related; type=application/dicom; transfer-syntax=*`, implicit, uid.ExplicitVRLittleEndian},
		{`multipart/related; type=application/dicom; transfer-syntax=*`, rle, uid.RLELossless},
		{`multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2`, implicit, ""},
		{`multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.2`, rle, ""},
		{`multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.91`, implicit, ""},
		{`multipart/related; type="application/dicom", multipart/related; type="application/dicom"; transfer-syntax=*;q=0.5`, j2k, uid.JPEG2000},
		{"*/*", implicit, uid.ExplicitVRLittleEndian},
		{"*/*", rle, uid.RLELossless},
		{"*/*", j2k, uid.JPEG2000},
	} {
		if got, _ := chooseFile(parseAccept([]string{c.accept}), c.i, true); got != c.want {
			t.Errorf("%s of %s: got %q, want %q", c.accept, c.i.TransferSyntaxUID, got, c.want)
		}
	}
}

func TestRangesAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header       string
		size         int64
		from, length int64
		ok           bool
	}{
		{"", 10, 0, 10, true}, {"bytes=0-3", 10, 0, 4, true}, {"bytes=4-", 10, 4, 6, true}, {"bytes=-3", 10, 7, 3, true}, {"bytes=0-99", 10, 0, 10, true},
		{"bytes=10-", 10, 0, 0, false}, {"bytes=5-2", 10, 0, 10, true}, {"bytes=1-2,4-5", 10, 0, 10, true}, {"bytes=a-b", 10, 0, 10, true},
		{"bytes=-0", 10, 10, 0, false}, {"lines=1-2", 10, 0, 10, true}, {"bytes=-99", 10, 0, 10, true},
	} {
		from, length, ok := parseRange(c.header, c.size)
		if from != c.from && ok || length != c.length && ok || ok != c.ok {
			t.Errorf("%q: %d, %d, %v", c.header, from, length, ok)
		}
	}
}

func FuzzAccept(f *testing.F) {
	f.Add(`multipart/related; type="application/dicom"; transfer-syntax=*;q=0.5, */*`)
	f.Add("multipart/related; type=image/jls; boundary=\"a\\\"b\"")
	offers := append(frameOffers(uid.RLELossless, true), imageOffers()...)
	f.Fuzz(func(t *testing.T, s string) {
		accept := parseAccept([]string{s})
		if o, ok := negotiate(accept, offers); ok {
			if _, again := negotiate(parseAccept([]string{o.String()}), offers); !again {
				t.Errorf("%q is offered and cannot be asked for", o)
			}
		}
		acceptsGzip([]string{s})
		parseRange(s, 100)
	})
}
