package scan

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"collimator/internal/finding"
)

// What is asked at known paths, of one product after the other.

// orthanc asks for /system, and where that is open whether Lua runs (WEB-005, WEB-006).
func (p *webProbe) orthanc(ctx context.Context) error {
	var system struct {
		Version    string
		ApiVersion int
		DicomAet   string
		DicomPort  uint16
	}

	_, page, err := p.get(ctx, "system", "/system", func(a webAnswer) []string {
		if a.page.Status == 200 && json.Unmarshal(a.body, &system) == nil && system.ApiVersion > 0 {
			return []string{"orthanc"}
		}
		return nil
	})
	if err != nil || !page.Has("orthanc") {
		return err
	}

	p.portal("Orthanc", system.Version, "/system")
	p.s.Product = &finding.Product{
		Vendor: "Orthanc", Name: "Orthanc", Version: clean(system.Version, 32), Confidence: 1, Source: "/system",
	}
	p.w.AETitle = clean(system.DicomAet, 16)
	p.w.DICOMPort = system.DicomPort
	p.v.title = p.w.AETitle

	_, _, err = p.send(ctx, "lua", webRequest{method: http.MethodPost, path: "/tools/execute-script"}, nil)
	return err
}

func webRoots() []string {
	return []string{"/dicom-web", "/dicomweb", "/dcm4chee-arc/aets/DCM4CHEE/rs"}
}

func jsonMark(a webAnswer) []string {
	body := bytes.TrimSpace(a.body)
	if len(body) == 0 || body[0] == '[' || strings.Contains(a.page.Kind, "json") {
		return []string{"json"}
	}
	return nil
}

// dicomweb asks search, retrieval and storage of the first root that is there
// (WEB-002 to WEB-004). Nothing that exists is asked for.
func (p *webProbe) dicomweb(ctx context.Context) error {
	for _, root := range webRoots() {
		_, page, err := p.get(ctx, "qido", root+"/studies?StudyInstanceUID="+impossibleUID()+"&limit=1", jsonMark)
		if err != nil {
			return err
		}
		if page == nil || page.Same && page.Status != 401 || page.Status/100 == 3 || page.Status/100 == 5 ||
			page.Status == 404 || page.Status == 200 && !page.Has("json") {
			delete(p.w.Pages, "qido")
			continue
		}

		if !page.Same {
			p.w.Root = root
			p.w.Imaging = true
		}

		if _, _, err := p.get(ctx, "wado-meta", root+"/studies/"+impossibleUID()+"/metadata", nil); err != nil {
			return err
		}

		if page.Same {
			return nil // everything asks for a sign-in
		}

		store := webRequest{
			method: http.MethodPost, path: root + "/studies", header: map[string]string{"Content-Type": "application/x-collimator-probe"},
		}
		if _, _, err := p.send(ctx, "stow", store, nil); err != nil {
			return err
		}
		break // one root is enough
	}

	query := "/wado?requestType=WADO&studyUID=" + impossibleUID() +
		"&seriesUID=" + impossibleUID() + "&objectUID=" + impossibleUID()
	_, _, err := p.get(ctx, "wado-uri", query, func(a webAnswer) []string {
		if bytes.Contains(bytes.ToLower(a.body), []byte("wado")) && a.page.Kind != p.random.page.Kind {
			return []string{"wado"}
		}
		return nil
	})
	return err
}

func contains(mark string, words ...string) func(webAnswer) []string {
	return func(a webAnswer) []string {
		body := bytes.ToLower(a.body)
		for _, w := range words {
			if bytes.Contains(body, []byte(w)) {
				return []string{mark}
			}
		}
		return nil
	}
}

func (p *webProbe) dcm4chee(ctx context.Context) error {
	_, page, err := p.get(ctx, "dcm4chee-aets", "/dcm4chee-arc/aets", contains("dcm4chee", "dicomaetitle"))
	if err != nil {
		return err
	}

	if page != nil && (page.Same || page.Status == 404) {
		return nil
	}

	_, page, err = p.get(ctx, "dcm4chee-ui", "/dcm4chee-arc/ui2/", contains("dcm4chee", "dcm4chee"))
	if page.Has("dcm4chee") {
		p.portal("dcm4chee-arc", "", "page")
	}
	return err
}

// viewers looks at the configuration of OHIF; only three words of it are noted (WEB-010).
func (p *webProbe) viewers(ctx context.Context) error {
	_, page, err := p.get(ctx, "ohif-config", "/app-config.js", func(a webAnswer) []string {
		body := bytes.ToLower(a.body)
		if !bytes.Contains(body, []byte("window.config")) {
			return nil
		}

		marks := []string{"ohif"}
		if bytes.Contains(body, []byte("dicomwebproxy")) || bytes.Contains(body, []byte("dicomjson")) {
			marks = append(marks, "risky sources")
		}
		if bytes.Contains(body, []byte("oidc")) {
			marks = append(marks, "oidc")
		}
		return marks
	})

	if page.Has("ohif") {
		p.portal("OHIF", "", "app-config.js")
	}
	return err
}

var (
	listingTitle = regexp.MustCompile(`(?i)<title>\s*(Index of|Directory listing)|<h1>\s*(Index of|Directory listing)`)
	listingFile  = regexp.MustCompile(`(?i)href="[^"]+\.dcm"|href="DICOMDIR"`)
)

func listingMarks(body []byte) []string {
	if listingTitle.Match(body) && listingFile.Match(body) {
		return []string{"dicom listing"}
	}
	return nil
}

func (p *webProbe) listings(ctx context.Context) error {
	for name, path := range map[string]string{
		"listing-dicom": "/dicom/", "listing-images": "/images/", "listing-dcm": "/dcm/",
	} {
		_, page, err := p.get(ctx, name, path, func(a webAnswer) []string { return listingMarks(a.body) })
		if err != nil {
			return err
		}
		if page.Has("dicom listing") {
			p.w.Imaging = true
		}
	}
	return nil
}

func (p *webProbe) descriptions(ctx context.Context) error {
	prometheus := contains("prometheus", "# type ", "# help ", "orthanc_")
	for _, x := range []struct {
		name, path string
		marks      func(webAnswer) []string
	}{
		{name: "metrics-orthanc", path: "/tools/metrics-prometheus", marks: prometheus},
		{name: "metrics", path: "/metrics", marks: prometheus},
		{name: "swagger", path: "/swagger", marks: contains("swagger", "swagger", `"openapi"`)},
	} {
		if _, _, err := p.get(ctx, x.name, x.path, x.marks); err != nil {
			return err
		}
	}
	return nil
}

// fhir asks for the statement of capabilities, and where there is one for a
// count of a resource that cannot exist (WEB-022).
func (p *webProbe) fhir(ctx context.Context) error {
	for _, root := range []string{"", "/fhir"} {
		_, page, err := p.get(ctx, "fhir-metadata", root+"/metadata", contains("capability", "capabilitystatement"))
		if err != nil {
			return err
		}

		if !page.Has("capability") {
			continue
		}

		search := root + "/ImagingStudy?_id=" + strings.ToLower(randomTitle(24)) + "&_summary=count"
		_, _, err = p.get(ctx, "fhir-search", search, contains("bundle", `"bundle"`, "<bundle"))
		return err
	}
	return nil
}

// portals asks for the pages by which products are known (WEB-016).
func (p *webProbe) portals(ctx context.Context) error {
	if p.w.Portal != "" {
		return nil
	}

	for _, path := range []string{
		"/portal/WebLogin.aspx", "/pureweb/server/login.jsp", "/pacs/login.php", "/app/template/Login.vm", "/viewer/", "/ohif/",
	} {
		a, ok, err := p.fetch(ctx, webRequest{method: http.MethodGet, path: path})
		if err != nil {
			return err
		}

		if ok && a.page.Status == 200 {
			p.recognise(a)
		}
		if p.w.Portal != "" {
			return nil
		}
	}
	return nil
}

func (p *webProbe) mirth(ctx context.Context) error {
	if p.w.Portal != "Mirth Connect" {
		return nil
	}

	a, ok, err := p.fetch(ctx, webRequest{
		method: http.MethodGet, path: "/api/server/version", header: map[string]string{"X-Requested-With": "OpenAPI"},
	})
	v := strings.TrimSpace(string(a.body))
	if ok && a.page.Status == 200 && regexp.MustCompile(`^\d+(\.\d+)+$`).MatchString(v) {
		p.portal("Mirth Connect", v, "/api/server/version")
	}
	return err
}

func (p *webProbe) infinitt(ctx context.Context) error {
	if p.w.Portal != "INFINITT PACS" {
		return nil
	}

	for name, path := range map[string]string{
		"infinitt-upload": "/WebJobUpload.asmx?WSDL", "infinitt-login": "/WebUserLogin.asmx?WSDL",
	} {
		if _, _, err := p.get(ctx, name, path, contains("wsdl", "wsdl:definitions")); err != nil {
			return err
		}
	}
	return nil
}

// credential tries the one credential that the operator's file names for the
// product, where the service asks for Basic (WEB-015, opt-in). A lock-out is not
// provoked: it is tried once.
func (p *webProbe) credential(ctx context.Context) error {
	c, ok := p.v.opt.Credentials[strings.ToLower(p.w.Portal)]
	if !ok || !p.v.opt.OptIn["default-credentials"] || p.w.Auth != "basic" || p.w.Status != 401 {
		return nil
	}

	token := base64.StdEncoding.EncodeToString([]byte(c.user + ":" + c.password))
	a, ok, err := p.fetch(ctx, webRequest{
		method: http.MethodGet, path: "/", header: map[string]string{"Authorization": "Basic " + token},
	})
	if ok && (a.page.Status == 200 || a.page.Status/100 == 3) {
		p.w.DefaultUser = p.w.Portal
	}
	return err
}
