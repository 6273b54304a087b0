package dicomweb

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
)

// remove answers a DELETE of a study, series or instance.
func (x *exchange) remove() error {
	if err := x.h.backend.Delete(x.r.Context(), x.selection()); err != nil {
		return err
	}
	x.start(http.StatusNoContent, "")
	return nil
}

// resources is what the service offers, for its description (PS3.18 8.9).
var resources = []struct {
	Path    string   `json:"path"`
	Methods []string `json:"methods"`
	Types   []string `json:"mediaTypes"`
}{
	{"studies", []string{"GET", "POST"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"studies/{study}", []string{"GET", "POST", "DELETE"}, []string{`multipart/related; type="application/dicom"`}},
	{"studies/{study}/metadata", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"studies/{study}/rendered", []string{"GET"}, []string{typeJPEG, typePNG}},
	{"studies/{study}/thumbnail", []string{"GET"}, []string{typeJPEG, typePNG}},
	{"studies/{study}/bulkdata", []string{"GET"}, []string{`multipart/related; type="application/octet-stream"`}},
	{"studies/{study}/series", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"studies/{study}/instances", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"studies/{study}/series/{series}", []string{"GET", "DELETE"}, []string{`multipart/related; type="application/dicom"`}},
	{"studies/{study}/series/{series}/metadata", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"studies/{study}/series/{series}/rendered", []string{"GET"}, []string{typeJPEG, typePNG}},
	{"studies/{study}/series/{series}/thumbnail", []string{"GET"}, []string{typeJPEG, typePNG}},
	{"studies/{study}/series/{series}/bulkdata", []string{"GET"}, []string{`multipart/related; type="application/octet-stream"`}},
	{"studies/{study}/series/{series}/instances", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"studies/{study}/series/{series}/instances/{instance}", []string{"GET", "DELETE"}, []string{`multipart/related; type="application/dicom"`, typeDICOM}},
	{"studies/{study}/series/{series}/instances/{instance}/metadata", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"studies/{study}/series/{series}/instances/{instance}/bulkdata/{path}", []string{"GET"}, []string{typeOctets, `multipart/related; type="application/octet-stream"`}},
	{"studies/{study}/series/{series}/instances/{instance}/rendered", []string{"GET"}, []string{typeJPEG, typePNG, typePDF}},
	{"studies/{study}/series/{series}/instances/{instance}/thumbnail", []string{"GET"}, []string{typeJPEG, typePNG}},
	{"studies/{study}/series/{series}/instances/{instance}/frames/{frames}", []string{"GET"}, []string{`multipart/related; type="application/octet-stream"`, typeOctets}},
	{"studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered", []string{"GET"}, []string{typeJPEG, typePNG}},
	{"studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail", []string{"GET"}, []string{typeJPEG, typePNG}},
	{"series", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"instances", []string{"GET"}, []string{typeJSON, `multipart/related; type="application/dicom+xml"`}},
	{"wado", []string{"GET"}, []string{typeDICOM, typeJPEG, typePNG, typePDF}},
}

const typeWADL = "application/vnd.sun.wadl+xml"

// capabilities describes the service (PS3.18 8.9).
func (x *exchange) capabilities() error {
	accept, err := x.accept()
	if err != nil {
		return err
	}

	offers := []offer{{mediaType: typeWADL}, {mediaType: "application/json"}, {mediaType: "application/xml"}}
	o, ok := negotiate(accept, offers)
	if !ok {
		return notAcceptable(offers, "The service describes itself in WADL or JSON.")
	}

	var b []byte
	if o.mediaType == "application/json" {
		b, err = json.MarshalIndent(map[string]any{"resources": x.h.offered()}, "", "  ")
	} else {
		b, err = x.h.wadl()
	}
	if err != nil {
		return err
	}

	x.w.Header().Add("Vary", "Accept")
	x.w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	x.start(http.StatusOK, o.mediaType)
	_, err = x.Write(b)
	return err
}

// offered is the resources with the methods there are.
func (h *Handler) offered() any {
	list := append(resources[:0:0], resources...)
	for i := range list {
		if m := list[i].Methods; !h.o.AllowDelete && m[len(m)-1] == http.MethodDelete {
			list[i].Methods = m[:len(m)-1]
		}
	}
	return list
}

type wadlApplication struct {
	XMLName   xml.Name `xml:"http://wadl.dev.java.net/2009/02 application"`
	Resources struct {
		Base      string         `xml:"base,attr"`
		Resources []wadlResource `xml:"resource"`
	} `xml:"resources"`
}

type wadlResource struct {
	Path    string       `xml:"path,attr"`
	Methods []wadlMethod `xml:"method"`
}

type wadlMethod struct {
	Name  string `xml:"name,attr"`
	Types []struct {
		MediaType string `xml:"mediaType,attr"`
	} `xml:"response>representation"`
}

// wadl is the description as a document of WADL (PS3.18 8.9), with DELETE only where
// the handler allows it.
func (h *Handler) wadl() ([]byte, error) {
	var app wadlApplication
	app.Resources.Base = h.o.Root + "/"

	for _, r := range resources {
		out := wadlResource{Path: r.Path}
		for _, m := range r.Methods {
			if m == http.MethodDelete && !h.o.AllowDelete {
				continue
			}

			method := wadlMethod{Name: m}
			for _, t := range r.Types {
				method.Types = append(method.Types, struct {
					MediaType string `xml:"mediaType,attr"`
				}{t})
			}

			out.Methods = append(out.Methods, method)
		}

		app.Resources.Resources = append(app.Resources.Resources, out)
	}

	b, err := xml.MarshalIndent(app, "", "  ")
	return append([]byte(xml.Header), b...), err
}
