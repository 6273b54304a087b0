package dicomweb

import (
	"net/http"
	"testing"

	"collimator/dicom"
	"collimator/dicom/tag"
	"collimator/dicom/uid"
)

// TestOnlyAPDFIsShownInTheBrowser: whatever the object says that it is.
func TestOnlyAPDFIsShownInTheBrowser(t *testing.T) {
	t.Parallel()
	const path = "/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.1.1"
	for name, c := range map[string]struct{ mime, content, asked, contentType, disposition string }{
		"PDF":                 {"Application/PDF; version=1", "%PDF-1.7\n", "/rendered", typePDF, "inline"},
		"PDF behind junk":     {"application/pdf", "GIF89a\n%PDF-1.7\n", "/rendered", typePDF, "inline"},
		"program as PDF":      {"application/pdf", "MZ\x90\x00", "/rendered", typePDF, "attachment"},
		"XML":                 {"TEXT/XML", "<a/>", "/rendered", "text/xml", "attachment"},
		"page":                {"text/html", "<html>", "/rendered", typeOctets, "attachment"},
		"bulk data, XML":      {"text/XML", "<a/>", "/bulkdata/00420011", "text/xml", "attachment"},
		"bulk data, page":     {"text/html", "<html>", "/bulkdata/00420011", typeOctets, "attachment"},
		"bulk data, PDF":      {"application/pdf", "%PDF-1.7\n", "/bulkdata/00420011", typePDF, "attachment"},
		"type with a comment": {"application/pdf <x>", "%PDF-1.7\n", "/rendered", typeOctets, "attachment"},
	} {
		h, s := newTest(t)
		ds := made(t, "1.2.3.1.1", tag.MIMETypeOfEncapsulatedDocument, c.mime)
		ds.Delete(tag.PixelData)
		ds.Set(dicom.NewElement(tag.EncapsulatedDocument, dicom.OB, []byte(c.content)))
		s.keep(t, ds, uid.ExplicitVRLittleEndian)
		rec := serve(t, h, http.MethodGet, path+c.asked, nil, "Accept", c.contentType)
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != c.contentType || rec.Header().Get("Content-Disposition") != c.disposition {
			t.Errorf("%s: %d %s, %s", name, rec.Code, rec.Header().Get("Content-Type"), rec.Header().Get("Content-Disposition"))
		}
	}
}
