package finding

import (
	"fmt"
	"strings"
)

func (j *judge) web(s *Service, w *Web) {
	j.dicomweb(s, w)
	j.orthanc(s, w)
	j.products(s, w)
	j.listings(s, w)
	j.browser(s, w)
	j.descriptions(s, w)
	if outOfSupport(w.Server) && j.imaging() {
		j.add("HST-008", s.Port, w.Server+" belongs to a system that gets no security updates any more.", exchange("GET /", "Server: "+w.Server)).Possible = true
	}
	if w.DefaultUser != "" {
		j.add("WEB-015", s.Port, "The credential that "+w.DefaultUser+" is delivered with still works.", exchange("GET with the credential of the operator's file", "HTTP 200"))
	}
}

// ok reports an answer that proves that a handler was reached without sign-in.
func ok(p *Page, statuses ...int) bool {
	if p == nil || p.Same {
		return false
	}
	for _, s := range statuses {
		if p.Status == s {
			return true
		}
	}
	return false
}

func (j *judge) dicomweb(s *Service, w *Web) {
	qido := w.Page("qido")
	open := ok(qido, 200, 204) && (qido.Status == 204 || qido.Has("json"))
	if open {
		j.add("WEB-002", s.Port, "Names, birth dates and examinations can be searched by whoever reaches this port.", qido.evidence())
	}
	meta, uri := w.Page("wado-meta"), w.Page("wado-uri")
	switch {
	case open && meta != nil && !meta.Closed() && (meta.Status == 404 || meta.Status == 200 || meta.Status == 204):
		j.add("WEB-003", s.Port, "Images can be fetched by whoever knows a UID, and the search tells UIDs.", meta.evidence())
	case ok(meta, 404, 410) && qido.Closed():
		j.add("WEB-003", s.Port, "The search asks for a sign-in, the retrieval does not seem to.", meta.evidence()).Possible = true
	case ok(uri, 404, 400) && uri.Has("wado"):
		j.add("WEB-003", s.Port, "A WADO-URI service seems to answer without a sign-in.", uri.evidence()).Possible = true
	}
	if stow := w.Page("stow"); ok(stow, 415, 400, 406, 409) {
		j.add("WEB-004", s.Port, "Images can be put into the archive by whoever reaches this port.", stow.evidence())
	}
	if fhir := w.Page("fhir-search"); ok(fhir, 200) && fhir.Has("bundle") {
		j.add("WEB-022", s.Port, "Orders, reports and patients can be searched.", fhir.evidence())
	}
}

func (j *judge) orthanc(s *Service, w *Web) {
	system := w.Page("system")
	if !ok(system, 200) || !system.Has("orthanc") {
		return
	}
	text := "Everything that Orthanc can do is open: read, change, delete, send."
	if s.Product != nil && versionBelow(s.Product.Version, 1, 5, 8) {
		text += " Versions before 1.5.8 do so whenever remote access is on (CVE-2025-0896)."
	}
	j.add("WEB-005", s.Port, text, system.evidence())
	if lua := w.Page("lua"); ok(lua, 200) {
		j.add("WEB-006", s.Port, "Scripts run with the rights of the service.", lua.evidence())
	}
	if s.Product != nil && versionBelow(s.Product.Version, 1, 12, 0) {
		issue := j.add("WEB-007", s.Port, "Versions before 1.12.0 can be made to overwrite their own configuration (CVE-2023-33466). Debian 12 has the patch under the number 1.10.1.",
			exchange("GET /system", "version "+s.Product.Version))
		issue.Possible, issue.Advisories = true, []string{"CVE-2023-33466"}
	}
}

// versionBelow compares a dotted version; false where it is not known.
func versionBelow(version string, want ...int) bool {
	parts := strings.FieldsFunc(version, func(r rune) bool { return r == '.' || r == '-' || r == '+' })
	if version == "" || len(parts) == 0 {
		return false
	}
	for i, w := range want {
		n := 0
		if i < len(parts) {
			if _, err := fmt.Sscanf(parts[i], "%d", &n); err != nil {
				return false
			}
		}
		if n != w {
			return n < w
		}
	}
	return false
}

func (j *judge) products(s *Service, w *Web) {
	open := false
	for _, name := range []string{"dcm4chee-aets", "dcm4chee-ui"} {
		if p := w.Page(name); ok(p, 200) && p.Has("dcm4chee") && !open {
			open = true
			j.add("WEB-008", s.Port, "Archive, configuration and patients are open to whoever reaches this port.", p.evidence())
		}
	}
	if (s.Port == 9990 || s.Port == 9993 || s.Port == 8843) && w.Status > 0 && (j.imaging() || w.Portal == "WildFly" || w.Portal == "Keycloak") {
		j.add("WEB-009", s.Port, "Who signs in here installs programs.", exchange("GET /", fmt.Sprintf("HTTP %d", w.Status)))
	}
	if p := w.Page("ohif-config"); ok(p, 200) && p.Has("risky sources") {
		j.add("WEB-010", s.Port, "Data sources can be chosen in the address; together with a sign-in their tokens may leak (CVE-2026-12473).", p.evidence()).Possible = !p.Has("oidc")
	}
	j.versions(s, w)
	if w.Portal != "" && w.Portal != "WildFly" && w.Portal != "Keycloak" && !open && !j.has(s.Port, "WEB-005") && !j.has(s.Port, "WEB-019") {
		j.add("WEB-016", s.Port, w.Portal+" shows its sign-in to this network.", exchange("GET of the pages by which products are known", w.Portal))
	}
	for _, name := range []string{"infinitt-upload", "infinitt-login"} {
		if p := w.Page(name); ok(p, 200) && p.Has("wsdl") && !j.has(s.Port, "WEB-017") {
			j.add("WEB-017", s.Port, "Files can be uploaded and accounts read through them.", p.evidence()).Advisories = []string{"ICSMA-25-100-01"}
		}
	}
}

// versions judges products by the version they tell.
func (j *judge) versions(s *Service, w *Web) {
	if s.Product == nil {
		return
	}
	version := exchange("GET of the page that tells the version", "version "+s.Product.Version)
	switch s.Product.Name {
	case "OHIF":
		if versionBelow(s.Product.Version, 3, 12, 2) {
			issue := j.add("WEB-011", s.Port, "Before 3.12.2 tokens may leak.", version)
			issue.Possible, issue.Advisories = true, []string{"ICSMA-26-176-02"}
		}
	case "Sante PACS Server":
		issue := Issue{}
		if versionBelow(s.Product.Version, 4, 2, 3) {
			issue.Text = "Before 4.2.3 files can be read and the service stopped."
		} else if s.Product.Version == "" {
			issue.Text = "The page tells no version; before 4.2.3 files can be read and the service stopped."
		} else {
			return
		}
		added := j.add("WEB-018", s.Port, issue.Text, version)
		added.Possible, added.Advisories = s.Product.Version == "", []string{"ICSMA-25-224-01"}
	case "Mirth Connect":
		if versionBelow(s.Product.Version, 4, 4, 1) {
			j.add("WEB-019", s.Port, "Before 4.4.1 anybody runs programs there. It is being used in attacks.", version).Advisories = []string{"CVE-2023-43208"}
		}
	}
}

// has reports an issue of a check at a port.
func (j *judge) has(port uint16, check string) bool {
	for _, i := range j.issues {
		if i.Check == check && i.Place.Port == port {
			return true
		}
	}
	return false
}

func (j *judge) listings(s *Service, w *Web) {
	for _, name := range []string{"root", "listing-dicom", "listing-images", "listing-dcm"} {
		if p := w.Page(name); p != nil && p.Status == 200 && p.Has("dicom listing") {
			j.add("WEB-012", s.Port, "DICOM files can be fetched with a browser. None was.", p.evidence())
			return
		}
	}
}

// browser judges transport and headers, of services that belong to imaging.
func (j *judge) browser(s *Service, w *Web) {
	belongs := w.Imaging
	for _, other := range j.facts.Services {
		belongs = belongs || other.DICOM != nil
	}
	if !belongs || w.Status == 0 {
		return
	}
	root := exchange("GET /", fmt.Sprintf("HTTP %d without TLS", w.Status))
	if !w.TLS && !w.RedirectsToTLS {
		j.add("WEB-001", s.Port, "Whoever is in the network reads along and can change what is shown.", root)
	}
	if w.CORSReflects && w.CORSCredentials {
		j.add("WEB-013", s.Port, "A page of any site can fetch data in the name of whoever is signed in.",
			exchange("GET / with a made-up Origin", "Access-Control-Allow-Origin repeats it, Access-Control-Allow-Credentials: true"))
	}
	if !w.TLS && w.Auth == "basic" {
		j.add("WEB-021", s.Port, "Name and password are sent with every request, readable for all.", exchange("GET /", "WWW-Authenticate: Basic"))
	}
	var missing []string
	for name, there := range map[string]bool{"Content-Security-Policy": w.CSP, "X-Content-Type-Options": w.NoSniff, "X-Frame-Options": w.FrameOptions || w.CSP} {
		if !there {
			missing = append(missing, name)
		}
	}
	sent := "GET /"
	if landing := w.Page("landing"); landing != nil {
		sent = landing.Sent
	}
	if len(missing) > 0 && (w.Status < 300 || w.Page("landing") != nil) {
		j.add("WEB-014", s.Port, "Browsers are not told to be careful with this site.", exchange(sent, "missing: "+joinSorted(missing)))
	}
}

func (j *judge) descriptions(s *Service, w *Web) {
	var evidence []Evidence
	for _, name := range []string{"metrics-orthanc", "metrics", "swagger"} {
		if p := w.Page(name); ok(p, 200) && (p.Has("prometheus") || p.Has("swagger")) {
			evidence = append(evidence, p.evidence())
		}
	}
	if len(evidence) > 0 && j.imaging() {
		j.add("WEB-020", s.Port, "They tell how much is stored and how the service is built.", evidence...)
	}
}
