package scan

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"collimator/internal/finding"
)

// webProbe asks one web service.
type webProbe struct {
	door
	s      *finding.Service
	w      *finding.Web
	random webAnswer // what a path that cannot exist gets
}

// web asks a service whose answer to GET / is there.
func (v *visit) web(ctx context.Context, s *finding.Service, d door, root webAnswer) error {
	s.Kind = finding.KindWeb
	s.Web = &finding.Web{TLS: d.tls, Pages: map[string]*finding.Page{}}
	p := &webProbe{door: d, s: s, w: s.Web}
	p.readRoot(root)
	steps := []func(context.Context) error{p.landing(root), p.calibrate, p.icon, p.orthanc, p.dicomweb, p.dcm4chee, p.viewers, p.listings, p.descriptions, p.fhir, p.portals, p.mirth, p.infinitt, p.credential}
	for _, step := range steps {
		if err := step(ctx); errors.Is(err, errDistress) || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// originName is the made-up origin of WEB-013.
const originName = "https://collimator-scan.invalid"

func rootRequest() webRequest {
	return webRequest{"GET", "/", map[string]string{"Origin": originName}}
}

// readRoot judges the answer to GET /: headers, redirect, product.
func (p *webProbe) readRoot(a webAnswer) {
	w := p.w
	w.Status = a.page.Status
	w.Server = clean(a.header.Get("Server"), 64)
	p.readHeaders(a)
	w.CORSReflects = a.header.Get("Access-Control-Allow-Origin") == originName
	w.CORSCredentials = a.header.Get("Access-Control-Allow-Credentials") == "true"
	if to, err := url.Parse(a.header.Get("Location")); err == nil && a.page.Status/100 == 3 {
		w.Location = clean(to.Scheme+"://"+to.Host+to.Path, 128)
		host, _, _ := strings.Cut(p.host(), ":")
		w.RedirectsToTLS = to.Scheme == "https" && (to.Hostname() == host || to.Hostname() == p.v.facts.Address.String())
	}
	p.readAuth(a)
	w.Pages["root"] = a.keep(listingMarks(a.body)...)
	w.Imaging = w.Pages["root"].Has("dicom listing")
	p.recognise(a)
}

// readHeaders notes what tells browsers to be careful.
func (p *webProbe) readHeaders(a webAnswer) {
	p.w.CSP = a.header.Get("Content-Security-Policy") != ""
	p.w.NoSniff = strings.EqualFold(a.header.Get("X-Content-Type-Options"), "nosniff")
	p.w.FrameOptions = a.header.Get("X-Frame-Options") != ""
}

// landing looks at the page to which GET / leads, where that is another path of
// the same service: its headers count. No other host or port is ever followed to.
func (p *webProbe) landing(root webAnswer) func(context.Context) error {
	return func(ctx context.Context) error {
		path, ok := p.samePlace(root)
		if !ok {
			return nil
		}
		a, ok, err := p.fetch(ctx, webRequest{"GET", path, nil})
		if err != nil || !ok || a.page.Status != 200 {
			return err
		}
		a.page.Sent = "GET of the page to which / leads"
		p.w.Pages["landing"] = a.keep()
		p.readHeaders(a)
		p.recognise(a)
		return nil
	}
}

// samePlace is the path of a redirect within the service.
func (p *webProbe) samePlace(a webAnswer) (string, bool) {
	location := a.header.Get("Location")
	if location == "" || len(location) > 1024 || a.page.Status/100 != 3 {
		return "", false
	}
	base := &url.URL{Scheme: "http", Host: p.host(), Path: "/"}
	if p.tls {
		base.Scheme = "https"
	}
	to, err := base.Parse(location)
	if err != nil || to.Scheme != base.Scheme || to.Host != base.Host || to.User != nil || to.EscapedPath() == "/" {
		return "", false
	}
	return to.EscapedPath(), true
}

// basicOr is the challenge for Basic where there is one, else the first.
func basicOr(challenges []string) string {
	for _, c := range challenges {
		if scheme, _, _ := strings.Cut(c, " "); strings.EqualFold(scheme, "basic") {
			return c
		}
	}
	if len(challenges) == 0 {
		return ""
	}
	return challenges[0]
}

func (p *webProbe) readAuth(a webAnswer) {
	auth := basicOr(a.header.Values("WWW-Authenticate"))
	scheme, rest, _ := strings.Cut(auth, " ")
	if scheme == "" {
		return
	}
	p.w.Auth = strings.ToLower(clean(scheme, 16))
	if _, realm, ok := strings.Cut(rest, `realm="`); ok {
		realm, _, _ = strings.Cut(realm, `"`)
		p.w.Realm = clean(realm, 64)
	}
	if p.w.Realm == "Orthanc Secure Area" {
		p.portal("Orthanc", "", "sign-in")
	}
}

// portal notes a product of imaging.
func (p *webProbe) portal(name, version, source string) {
	p.w.Imaging = true
	if p.w.Portal == "" {
		p.w.Portal = name
	}
	if p.s.Product == nil || p.s.Product.Version == "" && version != "" {
		p.s.Product = &finding.Product{Name: name, Version: clean(version, 32), Confidence: 0.8, Source: source}
	}
}

// productMark is a mark of a product in an answer.
type productMark struct {
	product string
	pattern *regexp.Regexp
}

var productMarks = sync.OnceValue(func() []productMark {
	return []productMark{
		{"Orthanc", regexp.MustCompile(`(?i)<title>\s*Orthanc Explorer|app/explorer\.html`)},
		{"dcm4chee-arc", regexp.MustCompile(`(?i)dcm4chee-arc`)},
		{"OHIF", regexp.MustCompile(`(?i)data-cy-root|<title>\s*OHIF|app-config\.js`)},
		{"Dicoogle", regexp.MustCompile(`(?i)<title>[^<]*dicoogle`)},
		{"Vue PACS", regexp.MustCompile(`(?i)<title>\s*Vue PACS`)},
		{"Synapse Mobility", regexp.MustCompile(`(?i)<title>\s*Synapse Mobility`)},
		{"MedDream PACS", regexp.MustCompile(`(?i)loginSplash`)},
		{"GXD5 Pacs", regexp.MustCompile(`(?i)<title>\s*GXD5 Pacs`)},
		{"Visage 7", regexp.MustCompile(`(?i)<title>\s*Visage 7`)},
		{"XNAT", regexp.MustCompile(`(?i)<title>\s*XNAT`)},
		{"Mirth Connect", regexp.MustCompile(`(?i)<title>\s*Mirth Connect`)},
		{"Sante PACS Server", regexp.MustCompile(`(?i)<title>[^<]*Sante PACS`)},
		{"INFINITT PACS", regexp.MustCompile(`(?i)<title>[^<]*INFINITT`)},
		{"WildFly", regexp.MustCompile(`(?i)<title>[^<]*(WildFly|HAL Management)`)},
		{"Keycloak", regexp.MustCompile(`(?i)<title>[^<]*Keycloak`)},
	}
})

var versionPattern = regexp.MustCompile(`(?i)version["'=:\s]{1,4}v?(\d+(?:\.\d+){1,4})`)

// recognise looks for marks of products in an answer.
func (p *webProbe) recognise(a webAnswer) {
	for _, m := range productMarks() {
		if !m.pattern.Match(a.body) {
			continue
		}
		version := ""
		if v := versionPattern.FindSubmatch(a.body); v != nil {
			version = string(v[1])
		}
		if m.product == "WildFly" || m.product == "Keycloak" {
			p.w.Portal = m.product
			continue
		}
		p.portal(m.product, version, "page")
		return
	}
	for name := range a.header {
		if strings.EqualFold(name, "X-Kheops-Version") {
			p.portal("Kheops", a.header.Get(name), "header")
		}
	}
	for _, cookie := range a.header.Values("Set-Cookie") {
		if strings.HasPrefix(cookie, "MEDDREAMSESSID") {
			p.portal("MedDream", "", "cookie")
		}
	}
}

// get asks for one page and notes it, with marks, under a name.
func (p *webProbe) get(ctx context.Context, name, path string, marks func(webAnswer) []string) (webAnswer, *finding.Page, error) {
	return p.send(ctx, name, webRequest{"GET", path, nil}, marks)
}

func (p *webProbe) send(ctx context.Context, name string, rq webRequest, marks func(webAnswer) []string) (webAnswer, *finding.Page, error) {
	a, ok, err := p.fetch(ctx, rq)
	if err != nil || !ok {
		return a, nil, err
	}
	var found []string
	if marks != nil {
		found = marks(a)
	}
	page := a.keep(found...)
	r := p.random.page
	page.Same = r.Status == page.Status && r.Kind == page.Kind && (page.Status != 200 || abs(r.Length-page.Length) < 64)
	p.w.Pages[name] = page
	return a, page, nil
}

func abs(n int) int { return max(n, -n) }

// calibrate learns what a path that cannot exist gets.
func (p *webProbe) calibrate(ctx context.Context) error {
	a, ok, err := p.fetch(ctx, webRequest{"GET", "/collimator-" + strings.ToLower(randomTitle(16)), nil})
	if ok {
		p.random = a
		p.random.body = nil
		p.w.Pages["random"] = a.keep()
	}
	return err
}

func (p *webProbe) icon(ctx context.Context) error {
	a, ok, err := p.fetch(ctx, webRequest{"GET", "/favicon.ico", nil})
	if !ok || a.page.Status != 200 || len(a.body) == 0 {
		return err
	}
	sum := md5.Sum(a.body)
	if name := finding.IdentifyIcon(sum[:], iconHash(a.body)); name != "" {
		p.portal(name, "", "icon")
	}
	return nil
}

// iconHash is MurmurHash3 of the base64 text with a line break after each 76
// characters, as it is used to look for icons.
func iconHash(b []byte) int32 {
	text := base64.StdEncoding.EncodeToString(b)
	var lines bytes.Buffer
	for len(text) > 0 {
		n := min(76, len(text))
		lines.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	return int32(murmur3(lines.Bytes()))
}

func murmur3(b []byte) uint32 {
	var h uint32
	mix := func(k uint32) uint32 { k *= 0xcc9e2d51; k = k<<15 | k>>17; return k * 0x1b873593 }
	n := uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h ^= mix(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
		h = (h<<13|h>>19)*5 + 0xe6546b64
	}
	var k uint32
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint32(b[i])
	}
	h ^= mix(k)
	h ^= n
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

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
	p.s.Product = &finding.Product{Vendor: "Orthanc", Name: "Orthanc", Version: clean(system.Version, 32), Confidence: 1, Source: "/system"}
	p.w.AETitle, p.w.DICOMPort = clean(system.DicomAet, 16), system.DicomPort
	p.v.title = p.w.AETitle
	_, _, err = p.send(ctx, "lua", webRequest{"POST", "/tools/execute-script", nil}, nil)
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
		if page == nil || page.Same && page.Status != 401 || page.Status/100 == 3 || page.Status/100 == 5 || page.Status == 404 || page.Status == 200 && !page.Has("json") {
			delete(p.w.Pages, "qido")
			continue
		}
		if !page.Same {
			p.w.Root, p.w.Imaging = root, true
		}
		if _, _, err := p.get(ctx, "wado-meta", root+"/studies/"+impossibleUID()+"/metadata", nil); err != nil {
			return err
		}
		if page.Same {
			return nil // everything asks for a sign-in
		}
		if _, _, err := p.send(ctx, "stow", webRequest{"POST", root + "/studies", map[string]string{"Content-Type": "application/x-collimator-probe"}}, nil); err != nil {
			return err
		}
		break
	}
	query := "/wado?requestType=WADO&studyUID=" + impossibleUID() + "&seriesUID=" + impossibleUID() + "&objectUID=" + impossibleUID()
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
	for name, path := range map[string]string{"listing-dicom": "/dicom/", "listing-images": "/images/", "listing-dcm": "/dcm/"} {
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
	}{{"metrics-orthanc", "/tools/metrics-prometheus", prometheus}, {"metrics", "/metrics", prometheus}, {"swagger", "/swagger", contains("swagger", "swagger", `"openapi"`)}} {
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
		_, _, err = p.get(ctx, "fhir-search", root+"/ImagingStudy?_id="+strings.ToLower(randomTitle(24))+"&_summary=count", contains("bundle", `"bundle"`, "<bundle"))
		return err
	}
	return nil
}

// portals asks for the pages by which products are known (WEB-016).
func (p *webProbe) portals(ctx context.Context) error {
	if p.w.Portal != "" {
		return nil
	}
	for _, path := range []string{"/portal/WebLogin.aspx", "/pureweb/server/login.jsp", "/pacs/login.php", "/app/template/Login.vm", "/viewer/", "/ohif/"} {
		a, ok, err := p.fetch(ctx, webRequest{"GET", path, nil})
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
	a, ok, err := p.fetch(ctx, webRequest{"GET", "/api/server/version", map[string]string{"X-Requested-With": "OpenAPI"}})
	if v := strings.TrimSpace(string(a.body)); ok && a.page.Status == 200 && regexp.MustCompile(`^\d+(\.\d+)+$`).MatchString(v) {
		p.portal("Mirth Connect", v, "/api/server/version")
	}
	return err
}

func (p *webProbe) infinitt(ctx context.Context) error {
	if p.w.Portal != "INFINITT PACS" {
		return nil
	}
	for name, path := range map[string]string{"infinitt-upload": "/WebJobUpload.asmx?WSDL", "infinitt-login": "/WebUserLogin.asmx?WSDL"} {
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
	a, ok, err := p.fetch(ctx, webRequest{"GET", "/", map[string]string{"Authorization": "Basic " + token}})
	if ok && (a.page.Status == 200 || a.page.Status/100 == 3) {
		p.w.DefaultUser = p.w.Portal
	}
	return err
}
