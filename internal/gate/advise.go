package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"collimator/dicom/uid"
	"collimator/dimse"
	"collimator/internal/fault"
	"collimator/internal/gate/kind"
	"collimator/internal/outward"
)

// RulesOf are the rules for words such as "CT1,CT2:echo,store": who may do what. Without
// any it is one rule by which every registered device may do what its registration grants.
func RulesOf(words []string) (rules []Rule, err error) {
	for _, text := range words {
		colon := strings.LastIndexByte(text, ':')
		if colon < 0 {
			return nil, fault.Newf(fault.Invalid, "gate: %q is not WHO:WHAT, such as CT1,CT2:echo,store", text)
		}

		rule := Rule{Who: wordsOf(text[:colon]), Allow: wordsOf(text[colon+1:])}
		rule.Name = freeName(rules, strings.Join(rule.Who, ","))
		rules = append(rules, rule)
	}

	if len(rules) == 0 {
		rules = []Rule{{Name: "registered", Registered: true}}
	}
	return rules, nil
}

func wordsOf(list string) (words []string) {
	for _, word := range strings.Split(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// freeName is a name that no rule has yet.
func freeName(rules []Rule, name string) string {
	free := name
	for n := 2; slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == free }); n++ {
		free = fmt.Sprintf("%s %d", name, n)
	}
	return free
}

// Callers are the AE titles that the system behind a route is called by; none where
// those of devices count that are not registered yet.
func (r *Route) Callers(h House) (titles []string) {
	if r.DICOMweb {
		defer func() {
			if title := r.WebTitle(); !slices.Contains(titles, title) {
				titles = append(titles, title)
			}
		}()
	}
	if r.As != "" {
		return []string{r.As}
	}

	system, _, _ := r.Target()
	everybody := r.Learning(h.Now)
	for _, rule := range r.Rules {
		titles = append(titles, rule.Who...)
		everybody = everybody || rule.Registered
	}
	if everybody {
		for _, d := range h.Devices {
			titles = append(titles, d.Name)
		}
	}
	titles = slices.DeleteFunc(titles, func(title string) bool { return title == system })
	slices.Sort(titles)
	return slices.Compact(titles)
}

// AtSystem is what to change at the system behind a route, a line for each product. callers
// are the AE titles it sees.
func (r *Route) AtSystem(p kind.Place, callers []string) []kind.Step {
	_, address, _ := r.Target()
	_, port, _ := net.SplitHostPort(address)
	if len(callers) == 0 {
		callers = []string{"AET_OF_EACH_DEVICE"}
	}
	first, each := callers[0], ""
	if len(callers) > 1 {
		each = ", and one such entry for " + kind.Listed(callers[1:])
	}

	back := placeBack(p)
	steps := []kind.Step{
		kind.At("firewall of its machine", fmt.Sprintf("nft add rule inet filter input tcp dport %s ip saddr != %s drop", port, p.From)),
		kind.At("Orthanc, orthanc.json", fmt.Sprintf(`"DicomAlwaysAllowStore": false, "DicomCheckModalityHost": %t, `+
			`"DicomModalities": {"gate1": {"AET": %q, "Host": %q, "Port": %s}}%s; no others`,
			back.host == p.From, first, back.host, back.port, each)),
		kind.At("dcm4chee", "Accepted Calling AE Title of its AE (dcmAcceptedCallingAETitle): "+kind.Listed(callers)+", and no others"),
		kind.At("DCMTK, dcmqrscp.cfg", fmt.Sprintf("HostTable: gate1 = %s%s; AETable: gate1 in place of ANY; "+
			"start it with -dhl, so that it compares addresses; it loses objects that come at the same time: --associations 1",
			back.hostTable(first, p.From), each)),
		kind.At("Conquest", "it asks nobody who calls: the firewall of its machine is all there is"),
		kind.At("any other", fmt.Sprintf("take associations from %s alone, under %s", p.From, kind.Listed(callers))),
	}
	if r.DICOMweb {
		what := fmt.Sprintf("%s may query, retrieve (C-GET) and store there", r.WebTitle())
		if p.Plain != "" {
			what += fmt.Sprintf("; where it has no C-GET, %s is a destination of C-MOVE without TLS at the gate: %s", r.WebTitle(), p.Plain)
		}
		steps = append(steps, kind.Step{Where: "people, by DICOMweb", What: what})
	}
	if r.Web != nil {
		steps = append(steps, r.Web.Steps(p)...)
	}
	if p.Plain != "" && len(p.Destinations) > 0 {
		steps = append(steps, kind.At("destinations of C-MOVE",
			fmt.Sprintf("%s: each under its own AE title, without TLS, at the gate: %s", kind.Listed(p.Destinations), p.Plain)))
	}
	return steps
}

// back is where a system behind reaches the gate: where that takes what is sent without TLS. A machine
// with several addresses may call from another one.
type back struct{ host, port string }

// placeBack is the address and port of plain_dicom; where that takes nothing, those of nobody.
func placeBack(p kind.Place) back {
	host, port, err := net.SplitHostPort(p.Plain)
	if err != nil {
		return back{p.From, "104"}
	}
	return back{host, port}
}

// hostTable are the entries of an AE title for dcmqrscp, which sends to the first and lets in whoever
// comes from one of them.
func (b back) hostTable(title, from string) string {
	text := fmt.Sprintf("(%s, %s, %s)", title, b.host, b.port)
	if b.host != from {
		text += fmt.Sprintf(", (%s, %s, %s)", title, from, b.port)
	}
	return text
}

// Ask asks the system behind a route, under an AE title, whether it is there (C-ECHO), and gives the
// implementation version name by which it announces itself (PS3.7 D.3.3.2.3); that may be
// anything. Its error says what to look at.
func (r *Route) Ask(ctx context.Context, as string) (announced string, err error) {
	title, address, err := r.Target()
	if err != nil {
		return "", err
	}

	announced, err = echoTo(ctx, address, dimse.Config{
		CallingAETitle: as, CalledAETitle: title,
		Contexts: dimse.Propose([]string{uid.Verification}, uid.NativeSyntaxes(), false),
	})
	_, rejected := errors.AsType[*dimse.RejectError](err)
	switch reason := outward.Reason(err); {
	case err == nil:
		return announced, nil
	case rejected:
		return "", fmt.Errorf("%s at %s rejects the AE title %s: enter it there, and look whether %s is its own title",
			title, address, as, title)
	case reason != "":
		return "", fmt.Errorf("%s at %s does not answer: %s", title, address, reason)
	}
	return "", fmt.Errorf("%s at %s does not answer a C-ECHO: %w", title, address, err)
}

func echoTo(ctx context.Context, address string, c dimse.Config) (announced string, err error) {
	a, err := dimse.Dial(ctx, address, c)
	if err != nil {
		return "", err
	}
	defer a.Abort() // does nothing after the release

	if err := a.Echo(ctx); err != nil {
		return "", err
	}
	_, announced = a.PeerImplementation()
	return announced, a.Release(ctx)
}
