package reverse

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"collimator/internal/gate/kind"
	"collimator/internal/policy"
)

// reference decides in the plainest way there is: a rule has to name the role, the method and the
// path.
func reference(rules []Rule, role, method, path string) bool {
	for _, r := range rules {
		for _, pattern := range r.Paths {
			a, b := strings.Split(strings.Trim(pattern, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/")
			fits := true
			if a[len(a)-1] == "**" {
				a = a[:len(a)-1]
				fits = len(b) >= len(a)
				b = b[:min(len(a), len(b))]
			}
			fits = fits && len(a) == len(b)
			for i := 0; fits && i < len(a); i++ {
				fits = a[i] == "*" && b[i] != "" || a[i] == b[i]
			}
			if fits && slices.Contains(r.Roles, role) && (slices.Contains(r.Methods, method) || method == "HEAD" && slices.Contains(r.Methods, "GET")) {
				return true
			}
		}
	}
	return false
}

// Every caller, role, method, path and rule: what no rule names is refused.
func TestNobodyMayWhatNoRuleGrants(t *testing.T) {
	t.Parallel()
	engine, r := policy.New(), rand.New(rand.NewPCG(7, 8))
	words := []string{"studies", "instances", "export"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	address := func(stars bool) string {
		var parts []string
		for range 1 + r.IntN(2) {
			word := pick(words)
			if stars && r.IntN(3) == 0 {
				word = "*"
			}
			parts = append(parts, word)
		}
		return "/" + strings.Join(parts, "/")
	}
	var roles []string
	for _, role := range policy.Roles() {
		roles = append(roles, string(role))
	}
	every := append(slices.Clone(methods), "OPTIONS", "TRACE", "PROPFIND", "")

	granted := 0
	for range 3000 {
		b := &Block{To: "http://127.0.0.1:1", At: "https://pacs.example"}
		for i := range r.IntN(9) {
			path := address(true)
			if r.IntN(4) == 0 {
				path += "/**"
			}
			b.Allow = append(b.Allow, Rule{Name: fmt.Sprint(i), Roles: []string{pick(roles)}, Methods: []string{pick(methods)}, Paths: []string{path}})
		}
		if err := b.Check(); err != nil {
			t.Fatal(err)
		}
		role, method, path := pick(roles), pick(every), address(false)
		p, err := parsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		rules, shown := newJudge(b).naming(method, p)
		want := reference(b.Allow, role, method, path)
		for _, kind := range []policy.Kind{policy.Person, policy.Device, policy.Service, policy.Share, policy.System, ""} {
			for _, verb := range []policy.Verb{policy.Web, policy.Delete, policy.Retrieve, ""} {
				who := policy.Principal{Kind: kind, Name: "ada", Role: policy.Role(role), Verbs: policy.AllVerbs()}
				d := engine.Decide(policy.Request{Principal: who, Verb: verb, Route: &policy.Route{Name: "PACS", Rules: rules}, Now: time.Now()})
				if got := d.Allow && verb == policy.Web; got != (want && kind == policy.Person && verb == policy.Web) {
					t.Fatalf("%s %s, %s %s %s (%s) by %+v: %+v", kind, verb, role, method, path, shown, b.Allow, d)
				}
				if d.Allow && verb == policy.Web {
					granted++
				}
			}
		}
	}
	if granted < 25 {
		t.Errorf("only %d were granted: the test says little", granted)
	}
}

func TestTheRecordShowsOnlyWordsOfTheRules(t *testing.T) {
	t.Parallel()
	b := &Block{Allow: []Rule{{Name: "r", Roles: []string{"auditor"}, Methods: []string{"GET"}, Paths: []string{"/patients/*/notes", "/by-name/**"}}}}
	for path, want := range map[string]string{
		"/patients/ZZPHI-1/notes": "/patients/*/notes", "/by-name/ZZPHI/1970": "/by-name/**", "/by-name": "/by-name",
		"/other/ZZPHI": "a path that no rule names", "/patients/ZZPHI-1": "a path that no rule names",
	} {
		p, _ := parsePath(path)
		if _, got := newJudge(b).naming("GET", p); got != want {
			t.Errorf("%s is shown as %q, want %q", path, got, want)
		}
	}
}

func TestTheRulesOfAProductChangeNothing(t *testing.T) {
	t.Parallel()
	b := &Block{Product: productOrthanc}
	j := newJudge(b)
	for _, r := range b.rules() {
		if err := r.check(); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{
		"DELETE /studies/x", "PUT /patients/x/protected", "POST /studies/x/anonymize", "POST /studies/x/modify", "POST /instances", "POST /tools/execute-script",
		"POST /tools/reset", "POST /tools/shutdown", "POST /studies/x/export", "POST /modalities/x/store", "PUT /modalities/x", "POST /studies/x/archive", "GET /studies/x/archive",
		"GET /studies/x/media", "GET /instances/x/file", "GET /instances/x/attachments/dicom/data", "POST /queries/x/retrieve", "GET /changes", "GET /peers", "GET /modalities",
		"GET /instances/x/rendered", "GET /instances/x/frames/0/rendered", "POST /tools/create-dicom", "GET /tools/log-level", "PUT /tools/log-level", "GET /wado",
	} {
		method, path, _ := strings.Cut(text, " ")
		p, _ := parsePath(path)
		if rules, _ := j.naming(method, p); len(rules) > 0 {
			t.Errorf("%s is let through by %q", text, rules[0].Name)
		}
	}
}

func TestABlockThatCannotBeIsRefusedWithTheField(t *testing.T) {
	t.Parallel()
	good := Block{To: "http://10.0.0.5:8042", At: "https://pacs.example:8444", Product: "orthanc"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	rule := Rule{Name: "r", Roles: []string{"auditor"}, Methods: []string{"GET"}, Paths: []string{"/a"}}
	with := func(change func(*Rule)) func(*Block) {
		return func(b *Block) { r := rule; change(&r); b.Allow = []Rule{r} }
	}
	for want, change := range map[string]func(*Block){
		"to: ":         func(b *Block) { b.To = "http://10.0.0.5:8042/app" },
		"to: want":     func(b *Block) { b.To = "http://u:p@10.0.0.5" },
		"to: https":    func(b *Block) { b.To = "https://10.0.0.5" },
		"at: ":         func(b *Block) { b.At = "http://pacs.example" },
		"at: a host":   func(b *Block) { b.At = "https://pacs_..:8444" },
		"listen: ":     func(b *Block) { b.Listen = "8444" },
		"fingerprint":  func(b *Block) { b.To = "https://10.0.0.5"; b.Fingerprint = "sha256:12" },
		"requests":     func(b *Block) { b.Requests = 1000 },
		"wait":         func(b *Block) { b.Wait = time.Hour },
		"upload_mib":   func(b *Block) { b.UploadMiB = -1 },
		"product":      func(b *Block) { b.Product = "other" },
		"roles: ":      with(func(r *Rule) { r.Roles = []string{"king"} }),
		"methods: ":    with(func(r *Rule) { r.Methods = []string{"get"} }),
		"paths: ":      with(func(r *Rule) { r.Paths = []string{"/a/**/b"} }),
		"are needed":   with(func(r *Rule) { r.Roles = nil }),
		"name: ":       with(func(r *Rule) { r.Name = "" }),
		"is taken by ": with(func(r *Rule) { r.Name = "look" }),
	} {
		b := good
		change(&b)
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestARuleIsToldThatShowsMoreThanARoleMaySee(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]bool{
		"administrator": false, "radiologist": false, "technologist": false, "referrer": true, "researcher": true, "auditor": true, "vendor": true,
	} {
		b := &Block{To: "http://127.0.0.1:1", At: "https://x:1", Allow: []Rule{{Name: "r", Roles: []string{"radiologist", role}, Methods: []string{"GET"}, Paths: []string{"/a"}}}}
		e := &kind.Explanation{}
		b.Explain(e)
		if got := slices.ContainsFunc(e.Remarks, func(r kind.Remark) bool { return r.Kind == kind.Unsafe && strings.Contains(r.Text, role) }); got != want {
			t.Errorf("%s: %v", role, e.Remarks)
		}
	}
}

func TestARuleIsToldByWhichObjectsComePastTheGate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"POST /instances": true, "POST /**": true, "POST /*": true, "POST /dicom-web/**": true, "GET /instances": false, "POST /tools/find": false, "POST /instances/*/modify": false,
	} {
		method, path, _ := strings.Cut(text, " ")
		b := &Block{To: "http://127.0.0.1:1", At: "https://x:1", Product: productOrthanc,
			Allow: []Rule{{Name: "r", Roles: []string{"radiologist"}, Methods: []string{method}, Paths: []string{path}}}}
		e := &kind.Explanation{}
		b.Explain(e)
		if got := slices.ContainsFunc(e.Remarks, func(r kind.Remark) bool { return r.Kind == kind.Unsafe && strings.Contains(r.Text, "objects by HTTP") }); got != want {
			t.Errorf("%s: %v", text, e.Remarks)
		}
	}
}
