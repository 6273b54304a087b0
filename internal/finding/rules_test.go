package finding_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/finding"
)

var at = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func host(services ...*finding.Service) *finding.Facts {
	return &finding.Facts{Address: netip.MustParseAddr("10.0.0.5"), At: at, Services: services}
}

// ae is a DICOM service that refuses everything; change makes it worse.
func ae(change func(*finding.DICOM)) *finding.Facts {
	d := &finding.DICOM{Presence: finding.Outcome{Answer: "reject", Result: 1, Source: 2, Reason: 2}, RandomCalled: finding.Outcome{Answer: "reject", Result: 1, Source: 1, Reason: 1}}
	if change != nil {
		change(d)
	}
	return host(&finding.Service{Port: 104, Kind: finding.KindDICOM, DICOM: d})
}

// stranger is a DICOM service that lets a stranger associate.
func stranger(change func(*finding.DICOM)) *finding.Facts {
	return ae(func(d *finding.DICOM) {
		d.RandomCalled = finding.Outcome{Answer: "accept"}
		d.Ordinary = d.RandomCalled
		if change != nil {
			change(d)
		}
	})
}

// secure is DICOM over TLS, well configured.
func secure(change func(*finding.TLSFacts, *finding.DICOM)) *finding.Facts {
	t := &finding.TLSFacts{Versions: []string{"TLS 1.3"}, ClientRequested: true, Certificate: &finding.Certificate{
		NotBefore: at.AddDate(0, -1, 0), NotAfter: at.AddDate(0, 3, 0), Authority: "given", NameMatches: true, KeyType: "ECDSA", KeyBits: 256, Signature: "ECDSA-SHA256"}}
	d := &finding.DICOM{TLS: true, ClientCertificate: true, Presence: finding.Outcome{Answer: "reject", Result: 1, Source: 2, Reason: 2}}
	if change != nil {
		change(t, d)
	}
	return host(&finding.Service{Port: 2762, Kind: finding.KindDICOM, TLS: t, DICOM: d})
}

// site is an imaging web service over TLS, well configured.
func site(change func(*finding.Service, *finding.Web)) *finding.Facts {
	w := &finding.Web{TLS: true, Imaging: true, Status: 200, CSP: true, NoSniff: true, FrameOptions: true, Pages: map[string]*finding.Page{}}
	s := &finding.Service{Port: 8443, Kind: finding.KindWeb, Web: w}
	if change != nil {
		change(s, w)
	}
	return host(s)
}

func pages(name string, p finding.Page) *finding.Facts {
	return site(func(_ *finding.Service, w *finding.Web) { w.Pages[name] = &p })
}

// beside is a management service on an imaging host.
func beside(h finding.HostFacts) *finding.Facts {
	f := secure(nil)
	f.Services = append(f.Services, &finding.Service{Port: 9999, Kind: finding.KindHost, Host: &h})
	return f
}

func op(status uint16) *finding.Operation {
	return &finding.Operation{Answer: "status", Status: status}
}

func portal(name string) func(*finding.Service, *finding.Web) {
	return func(s *finding.Service, w *finding.Web) {
		w.Portal = name
		s.Product = &finding.Product{Name: name}
	}
}

func product(name, version string) *finding.Facts {
	return site(func(s *finding.Service, w *finding.Web) {
		s.Product = &finding.Product{Name: name, Version: version}
		w.Pages["system"] = &finding.Page{Status: 401}
	})
}

func orthancAPI(version string, lua int) *finding.Facts {
	return site(func(s *finding.Service, w *finding.Web) {
		s.Product = &finding.Product{Name: "Orthanc", Version: version}
		w.Pages["system"] = &finding.Page{Status: 200, Marks: []string{"orthanc"}}
		w.Pages["lua"] = &finding.Page{Status: lua}
	})
}

func hl7(h finding.HL7) *finding.Facts {
	return host(&finding.Service{Port: 2575, Kind: finding.KindHL7, HL7: &h})
}

func with(f *finding.Facts, change func(*finding.Facts)) *finding.Facts {
	change(f)
	return f
}

type pair struct{ bad, good *finding.Facts }

func certificate(change func(*finding.Certificate)) *finding.Facts {
	return secure(func(t *finding.TLSFacts, _ *finding.DICOM) { change(t.Certificate) })
}

func discoveryCases() map[string]pair {
	plainBeside := func() *finding.Facts {
		f := secure(nil)
		f.Services = append(f.Services, ae(nil).Services...)
		return f
	}
	quietHost := host(&finding.Service{Port: 11112, Kind: finding.KindOpen})
	return map[string]pair{
		"DIC-001": {ae(nil), quietHost},
		"DIC-002": {ae(nil), secure(nil)},
		"DIC-003": {ae(func(d *finding.DICOM) { d.NonStandard = true }), ae(nil)},
		"DIC-004": {with(ae(nil), func(f *finding.Facts) { f.OutsideZones = true }), with(host(), func(f *finding.Facts) { f.OutsideZones = true })},
		"DIC-005": {with(ae(nil), func(f *finding.Facts) { f.Public = true }), ae(nil)},
		"DIC-006": {with(ae(nil), func(f *finding.Facts) { f.Twins = 200 }), with(ae(nil), func(f *finding.Facts) { f.Twins = 20 })},
		"TLS-001": {ae(nil), plainBeside()},
		"TLS-011": {plainBeside(), ae(nil)},
	}
}

func dicomCases() map[string]pair {
	accepts := func(class string) *finding.Facts {
		return stranger(func(d *finding.DICOM) { d.Results = map[string]uint8{class: 0} })
	}
	rejects := func(class string) *finding.Facts {
		return stranger(func(d *finding.DICOM) { d.Results = map[string]uint8{class: 3} })
	}
	done := func(set func(*finding.DICOM, *finding.Operation)) pair {
		return pair{stranger(func(d *finding.DICOM) { set(d, op(0)) }), stranger(func(d *finding.DICOM) { set(d, op(0xA900)) })}
	}
	calling := func(o finding.Outcome) *finding.Facts {
		return ae(func(d *finding.DICOM) { d.RandomCalling = o })
	}
	return map[string]pair{
		"ASC-001": {stranger(nil), ae(nil)},
		"ASC-002": {calling(finding.Outcome{Answer: "accept"}), calling(finding.Outcome{Answer: "reject", Result: 1, Source: 1, Reason: 3})},
		"ASC-003": {ae(func(d *finding.DICOM) { d.CalledFrom = "guess" }), ae(func(d *finding.DICOM) { d.CalledFrom = "operator" })},
		"ASC-004": {ae(func(d *finding.DICOM) {
			d.RandomCalled.Reason, d.RandomCalling = 7, finding.Outcome{Answer: "reject", Result: 1, Source: 1, Reason: 3}
		}), ae(func(d *finding.DICOM) { d.RandomCalled.Reason = 7; d.RandomCalling = d.RandomCalled })},
		"ASC-005": {stranger(func(d *finding.DICOM) { d.Identity.Answer = "accept" }), stranger(func(d *finding.DICOM) { d.Identity.Answer = "reject" })},
		"ASC-006": {stranger(func(d *finding.DICOM) { d.Identity.Answer, d.IdentityAnswered = "accept", true }), stranger(func(d *finding.DICOM) { d.Identity.Answer = "accept" })},
		"ASC-007": {ae(func(d *finding.DICOM) { d.AsDevice.Answer = "accept" }), ae(func(d *finding.DICOM) { d.AsDevice.Answer = "reject" })},
		"ASC-008": {stranger(func(d *finding.DICOM) { d.HasMaxPDU = true }), stranger(func(d *finding.DICOM) { d.HasMaxPDU, d.MaxPDU = true, 16384 })},
		"ASC-009": {stranger(func(d *finding.DICOM) { d.Private = true }), stranger(nil)},
		"ASC-010": {stranger(func(d *finding.DICOM) { d.Deflated = true }), stranger(nil)},
		"ASC-011": {stranger(func(d *finding.DICOM) { d.ClassUID = "1.2.3" }), stranger(nil)},
		"ASC-012": {stranger(func(d *finding.DICOM) { d.VersionName = "OFFIS_DCMTK_367" }), stranger(func(d *finding.DICOM) { d.VersionName = "dcm4che-5.31" })},
		"ASC-013": done(func(d *finding.DICOM, o *finding.Operation) { d.Echo = o }),
		"DIM-001": done(func(d *finding.DICOM, o *finding.Operation) { d.Find = o }),
		"DIM-002": {stranger(func(d *finding.DICOM) { d.Count = &finding.Operation{Answer: "status", Status: 0xFE00, Pending: 1} }), stranger(func(d *finding.DICOM) { d.Count = op(0) })},
		"DIM-003": done(func(d *finding.DICOM, o *finding.Operation) { d.Worklist = o }),
		"DIM-004": {accepts(uid.CTImageStorage), rejects(uid.CTImageStorage)},
		"DIM-005": done(func(d *finding.DICOM, o *finding.Operation) { d.Store = o }),
		"DIM-006": done(func(d *finding.DICOM, o *finding.Operation) { d.StoreTwice = o }),
		"DIM-007": done(func(d *finding.DICOM, o *finding.Operation) { d.Move = o }),
		"DIM-008": done(func(d *finding.DICOM, o *finding.Operation) { d.Get = o }),
		"DIM-009": {accepts(uid.ModalityPerformedProcedureStep), rejects(uid.ModalityPerformedProcedureStep)},
		"DIM-010": {accepts(uid.UnifiedProcedureStepPush), rejects(uid.UnifiedProcedureStepPush)},
	}
}

func tlsCases() map[string]pair {
	tls := func(change func(*finding.TLSFacts)) *finding.Facts {
		return secure(func(t *finding.TLSFacts, _ *finding.DICOM) { change(t) })
	}
	return map[string]pair{
		"TLS-002": {tls(func(t *finding.TLSFacts) { t.Versions = []string{"TLS 1.2", "TLS 1.0"} }), secure(nil)},
		"TLS-003": {tls(func(t *finding.TLSFacts) { t.Weak = map[string]string{"RC4": "RSA_WITH_RC4_128_SHA"} }), secure(nil)},
		"TLS-004": {certificate(func(c *finding.Certificate) { c.NotAfter = at.AddDate(0, 0, -1) }), certificate(func(c *finding.Certificate) { c.NotAfter = c.NotBefore.AddDate(2, 0, 0) })},
		"TLS-005": {certificate(func(c *finding.Certificate) { c.Authority = "" }), secure(nil)},
		"TLS-006": {certificate(func(c *finding.Certificate) { c.NameMatches = false }), secure(nil)},
		"TLS-007": {certificate(func(c *finding.Certificate) { c.KeyType, c.KeyBits = "RSA", 1024 }), certificate(func(c *finding.Certificate) { c.KeyType, c.KeyBits = "RSA", 2048 })},
		"TLS-008": {tls(func(t *finding.TLSFacts) { t.ClientRequested = false }), secure(nil)},
		"TLS-009": {secure(func(t *finding.TLSFacts, d *finding.DICOM) { t.Throwaway, d.RandomCalled.Answer = true, "accept" }), secure(func(t *finding.TLSFacts, d *finding.DICOM) { t.Throwaway, d.RandomCalled.Answer = true, "reject" })},
		"TLS-010": {certificate(func(c *finding.Certificate) { c.PublicKeyKnown = "sample of a product" }), secure(nil)},
	}
}

func webCases() map[string]pair {
	web := func(change func(*finding.Web)) *finding.Facts {
		return site(func(_ *finding.Service, w *finding.Web) { change(w) })
	}
	status := func(name string, bad, good int, marks ...string) pair {
		return pair{pages(name, finding.Page{Status: bad, Marks: marks}), pages(name, finding.Page{Status: good, Marks: marks})}
	}
	open := func(meta int) *finding.Facts {
		return web(func(w *finding.Web) {
			w.Pages["qido"] = &finding.Page{Status: 200, Marks: []string{"json"}}
			w.Pages["wado-meta"] = &finding.Page{Status: meta}
		})
	}
	console := func(port uint16) *finding.Facts {
		return site(func(s *finding.Service, w *finding.Web) { s.Port = port })
	}
	return map[string]pair{
		"WEB-001": {web(func(w *finding.Web) { w.TLS = false }), web(func(w *finding.Web) { w.TLS, w.RedirectsToTLS = false, true })},
		"WEB-002": status("qido", 200, 401, "json"),
		"WEB-003": {open(404), open(401)},
		"WEB-004": status("stow", 415, 401),
		"WEB-005": {orthancAPI("1.12.9", 403), pages("system", finding.Page{Status: 401})},
		"WEB-006": {orthancAPI("1.12.9", 200), orthancAPI("1.12.9", 403)},
		"WEB-007": {orthancAPI("1.10.1", 403), orthancAPI("1.12.0", 403)},
		"WEB-008": status("dcm4chee-aets", 200, 302, "dcm4chee"),
		"WEB-009": {console(9990), console(8443)},
		"WEB-010": status("ohif-config", 200, 404, "risky sources", "oidc"),
		"WEB-011": {product("OHIF", "3.12.0"), product("OHIF", "3.12.2")},
		"WEB-012": {pages("root", finding.Page{Status: 200, Marks: []string{"dicom listing"}}), pages("root", finding.Page{Status: 200})},
		"WEB-013": {web(func(w *finding.Web) { w.CORSReflects, w.CORSCredentials = true, true }), web(func(w *finding.Web) { w.CORSReflects = true })},
		"WEB-014": {web(func(w *finding.Web) { w.CSP = false }), site(nil)},
		"WEB-015": {web(func(w *finding.Web) { w.DefaultUser = "Orthanc" }), site(nil)},
		"WEB-016": {site(portal("Vue PACS")), site(portal("WildFly"))},
		"WEB-017": status("infinitt-upload", 200, 403, "wsdl"),
		"WEB-018": {product("Sante PACS Server", "4.2.2"), product("Sante PACS Server", "4.2.3")},
		"WEB-019": {product("Mirth Connect", "4.4.0"), product("Mirth Connect", "4.4.1")},
		"WEB-020": status("metrics", 200, 401, "prometheus"),
		"WEB-021": {web(func(w *finding.Web) { w.TLS, w.Auth = false, "basic" }), web(func(w *finding.Web) { w.Auth = "basic" })},
		"WEB-022": status("fhir-search", 200, 401, "bundle"),
	}
}

func hostCases() map[string]pair {
	old := func(os string) *finding.Facts { return beside(finding.HostFacts{Protocol: "snmp", OS: os}) }
	alone := func(protocol string) *finding.Facts {
		return host(&finding.Service{Port: 1, Host: &finding.HostFacts{Protocol: protocol}})
	}
	protocol := func(p string) pair { return pair{beside(finding.HostFacts{Protocol: p}), alone(p)} }
	return map[string]pair{
		"HST-001": protocol("telnet"), "HST-002": protocol("ftp"), "HST-005": protocol("mysql"), "HST-006": protocol("snmp"),
		"HST-009": protocol("remote"), "HST-010": protocol("rsync"), "HST-011": protocol("ipmi"),
		"HST-003": {beside(finding.HostFacts{Protocol: "rdp", Spoke: true}), beside(finding.HostFacts{Protocol: "rdp", Spoke: true, NLA: true})},
		"HST-004": {beside(finding.HostFacts{Protocol: "smb", SMB1: true}), beside(finding.HostFacts{Protocol: "smb", Spoke: true})},
		"HST-007": {beside(finding.HostFacts{Protocol: "ssh", Old: []string{"ssh-dss"}}), beside(finding.HostFacts{Protocol: "ssh"})},
		"HST-008": {old("Windows XP"), old("Windows Server 2025")},
		"HST-012": {beside(finding.HostFacts{Protocol: "ftp", Banner: "220 Codonics"}), beside(finding.HostFacts{Protocol: "ftp", Banner: "220 files"})},
		"HL7-001": {hl7(finding.HL7{}), ae(nil)},
		"HL7-002": {hl7(finding.HL7{}), hl7(finding.HL7{TLS: true})},
		"HL7-003": {hl7(finding.HL7{Framed: true, Acknowledgement: "AA"}), hl7(finding.HL7{Framed: true, Acknowledgement: "AR"})},
	}
}

func has(issues []finding.Issue, check string) bool {
	for _, i := range issues {
		if i.Check == check {
			return true
		}
	}
	return false
}

func TestEveryCheckIsJudgedInBothDirections(t *testing.T) {
	t.Parallel()
	all := map[string]pair{}
	for _, m := range []map[string]pair{discoveryCases(), dicomCases(), tlsCases(), webCases(), hostCases()} {
		for id, p := range m {
			all[id] = p
		}
	}
	for _, c := range finding.Checks() {
		p, ok := all[c.ID]
		if !ok {
			t.Errorf("%s has no case", c.ID)
			continue
		}
		if !has(finding.Judge(p.bad), c.ID) {
			t.Errorf("%s is not found where it is", c.ID)
		}
		if has(finding.Judge(p.good), c.ID) {
			t.Errorf("%s is invented where it is not", c.ID)
		}
	}
}

func TestEveryIssueSaysWhatToDoBeginningWithAVerb(t *testing.T) {
	t.Parallel()
	for _, m := range []map[string]pair{discoveryCases(), dicomCases(), tlsCases(), webCases(), hostCases()} {
		for _, p := range m {
			for _, s := range p.bad.Services {
				for name := range pagesOf(s) {
					s.Web.Pages[name].Sent = "GET /" + name
				}
			}
			for _, i := range finding.Judge(p.bad) {
				word, _, _ := strings.Cut(i.Fix.Do, " ")
				if word == "" || word[0] < 'A' || word[0] > 'Z' || word == "The" || word == "It" || i.Fix.Effort == "" || len(i.Gains) == 0 {
					t.Errorf("%s: fix %q, effort %q, gains %v", i.Check, i.Fix.Do, i.Fix.Effort, i.Gains)
				}
				if len(i.Evidence) == 0 || i.Evidence[0].Sent == "" || i.Evidence[0].Received == "" {
					t.Errorf("%s has no evidence", i.Check)
				}
				if !i.Place.Address.IsValid() {
					t.Errorf("%s has no place", i.Check)
				}
			}
		}
	}
}

func pagesOf(s *finding.Service) map[string]*finding.Page {
	if s.Web == nil {
		return nil
	}
	return s.Web.Pages
}

func TestTheCatalogueHoldsEveryCheckThatWasPlanned(t *testing.T) {
	t.Parallel()
	path := filepath.Join(os.Getenv("COLLIMATOR_SHARED"), "facts", "checks.tsv")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Skip("left out: the list of planned checks is not there; set COLLIMATOR_SHARED")
	}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		id, _, _ := strings.Cut(line, "\t")
		if _, ok := finding.CheckByID(id); !ok && !strings.HasPrefix(id, "ADV-") {
			t.Errorf("%s is missing", id)
		}
	}
}

func TestAServiceThatIsDoneWellHasNoIssueAboveInformation(t *testing.T) {
	t.Parallel()
	for _, f := range []*finding.Facts{secure(nil), site(nil), host()} {
		for _, i := range finding.Judge(f) {
			if i.Severity > finding.Info {
				t.Errorf("%s %s", i.Check, i.Title)
			}
		}
	}
}

func TestOrthancGetsTheChangeForOrthanc(t *testing.T) {
	t.Parallel()
	for _, i := range finding.Judge(orthancAPI("1.12.9", 200)) {
		if i.Check == "WEB-006" && (len(i.Fix.Changes) != 1 || i.Fix.Changes[0].Text != `"ExecuteLuaEnabled" : false`) {
			t.Errorf("changes %v", i.Fix.Changes)
		}
	}
}

func TestProductsAreNamedByTheirImplementation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ uid, name, product, version string }{
		{"1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367", "DCMTK", "3.6.7"},
		{"1.2.40.0.13.1.3", "dcm4che-5.31.0", "dcm4che", "5.31.0"},
		{"1.3.6.1.4.1.30071.8", "fo-dicom 5.1.2", "fo-dicom", "5.1.2"},
		{"1.2.840.113619.6.185", "VIVID_I_6", "Vivid-i ultrasound", ""},
		{"1.2.840.113619.6.999", "OTHER", "device or Centricity", ""},
		{"2.25.329800735698586629295641978511506172918", "DICOM-rs 0.7.1", "DICOM-rs", "0.7.1"},
		{"2.25.1", "SOMETHING", "", ""},
		{"1.9.9", "", "", ""},
	} {
		p := finding.Identify(&finding.DICOM{ClassUID: c.uid, VersionName: c.name})
		switch {
		case p == nil && c.product != "":
			t.Errorf("%s %s is not named", c.uid, c.name)
		case p != nil && (p.Name != c.product || p.Version != c.version || p.Confidence <= 0 || p.Confidence > 1):
			t.Errorf("%s %s: %+v", c.uid, c.name, *p)
		}
	}
	d := &finding.DICOM{ClassUID: "1.2.826.0.1.3680043.9.7133.1.1", VersionName: "GODICOM_1_1"}
	if finding.Identify(d); d.Honeypot == "" {
		t.Error("the honeypot is not named")
	}
}
