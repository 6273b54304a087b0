package scan

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"net/http"
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

// web asks a service that has answered GET / with root. A step that fails leaves its
// facts out and the next one goes on; an error of the host in distress, or the end of
// ctx, ends the visit.
func (v *visit) web(ctx context.Context, s *finding.Service, d door, root webAnswer) error {
	s.Kind = finding.KindWeb
	s.Web = &finding.Web{TLS: d.tls, Pages: map[string]*finding.Page{}}
	p := &webProbe{door: d, s: s, w: s.Web}
	p.readRoot(root)

	steps := []func(context.Context) error{
		p.landing(root), p.calibrate, p.icon, p.orthanc, p.dicomweb, p.dcm4chee, p.viewers, p.listings,
		p.descriptions, p.fhir, p.portals, p.mirth, p.infinitt, p.credential,
	}
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
	return webRequest{method: http.MethodGet, path: "/", header: map[string]string{"Origin": originName}}
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

		a, ok, err := p.fetch(ctx, webRequest{method: http.MethodGet, path: path})
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
	return p.send(ctx, name, webRequest{method: http.MethodGet, path: path}, marks)
}

func (p *webProbe) send(
	ctx context.Context, name string, rq webRequest, marks func(webAnswer) []string,
) (webAnswer, *finding.Page, error) {
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
	a, ok, err := p.fetch(ctx, webRequest{method: http.MethodGet, path: "/collimator-" + strings.ToLower(randomTitle(16))})
	if ok {
		p.random = a
		p.random.body = nil
		p.w.Pages["random"] = a.keep()
	}
	return err
}

func (p *webProbe) icon(ctx context.Context) error {
	a, ok, err := p.fetch(ctx, webRequest{method: http.MethodGet, path: "/favicon.ico"})
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
	mix := func(k uint32) uint32 {
		k *= 0xcc9e2d51
		k = k<<15 | k>>17
		return k * 0x1b873593
	}

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
