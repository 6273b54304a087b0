package house

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"collimator/internal/config"
	"collimator/internal/gate"
	"collimator/internal/gate/kind"
	"collimator/internal/shown"
)

// RouteAdvice is what has to be done elsewhere before a route works, and what may be
// wrong with it.
type RouteAdvice struct {
	Says    []string    // what the route lets through
	System  []kind.Step // at the system behind, a line for each product
	Clients string
	// Callers are the AE titles that system is called by, and From the address.
	Callers  []string
	From     string
	Warnings []string
}

// AdviseRoute looks at a route from where the server stands.
func (in *Installation) AdviseRoute(ctx context.Context, r gate.Route) (a RouteAdvice, err error) {
	h, err := in.GateHouse(ctx)
	if err != nil {
		return a, err
	}
	devices, err := in.Registry.Devices(ctx)
	if err != nil {
		return a, err
	}

	c := in.Config
	_, target, ok := strings.Cut(r.Leads(), "@")
	if !ok {
		target = r.Leads()
	}
	place := kind.Place{Route: r.Name, From: ownAddressTowards(target)}
	place.Plain = reachedAt(c.PlainDICOM, place.From)
	if onlyHere(place.Plain) && !onlyHere(target) { // nobody gets there: it has to be changed, and that is said below
		_, port, _ := net.SplitHostPort(place.Plain)
		place.Plain = net.JoinHostPort(place.From, port)
	}
	for _, d := range devices {
		if d.Listen != "" {
			place.Destinations = append(place.Destinations, d.AETitle)
		}
	}

	a.From = place.From
	a.Callers = r.Callers(h)
	a.System = r.Steps(place, a.Callers)
	if r.HasRules() {
		a.Clients = fmt.Sprintf("call AE title %s at %s with TLS, with the files that 'collimator device add' wrote for them",
			r.Name, reachedAt(c.DICOM, cmp.Or(first(c.Hosts), place.From)))
	}
	explained := gate.Explain(r, h)
	a.Says = explained.Says
	for _, remark := range explained.Remarks {
		a.Warnings = append(a.Warnings, string(remark.Kind)+": "+remark.Text)
	}
	a.Warnings = append(a.Warnings, warnPeople(c, r)...)
	if r.HasRules() {
		a.Warnings = append(a.Warnings, warnListeners(c, target)...)
	} else if r.AtServer() && (c.PlainDICOM == "" || onlyHere(c.PlainDICOM)) {
		a.Warnings = append(a.Warnings, fmt.Sprintf("note: modalities on other machines do not reach plain_dicom (%s): "+
			"set it in collimator.yaml, and restart (docs/operate.md, Settings)", cmp.Or(c.PlainDICOM, "empty")))
	}
	return a, nil
}

// Print says in words what to do for a route to a system.
func (a RouteAdvice) Print(w io.Writer, system string) error {
	for _, line := range a.Says {
		fmt.Fprintln(w, line)
	}

	head := "At the system behind (%s), so that nobody gets around the gate, which calls it from %s"
	if a.Clients == "" {
		head = "So that it gets to %s, which is called from %s"
	}
	fmt.Fprintf(w, "\n"+head+":\n", system, a.From)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, step := range a.System {
		fmt.Fprintf(tw, "  %s\t%s\n", shown.Text(step.Where), shown.Text(step.What))
	}
	if err := tw.Flush(); err != nil {
		return err
	}

	if a.Clients == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nAt its callers: %s.\n", a.Clients)
	return err
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// reachedAt is the address of a listener for others: one at every address of the machine
// is at the one that is given.
func reachedAt(listener, own string) string {
	host, port, err := net.SplitHostPort(listener)
	if ip, bad := netip.ParseAddr(host); err == nil && (host == "" || bad == nil && ip.IsUnspecified()) {
		return net.JoinHostPort(own, port)
	}
	return listener
}

// ownAddressTowards is the address from which this machine calls another; nothing is
// sent. Words stand for it where there is no way there.
func ownAddressTowards(target string) string {
	conn, err := net.Dial("udp", target)
	if err != nil {
		return "ADDRESS_OF_THE_GATE"
	}
	defer conn.Close()
	host, _, _ := net.SplitHostPort(conn.LocalAddr().String())
	return host
}

// warnListeners names what of the listeners does not go with a target.
func warnListeners(c config.Config, target string) (warnings []string) {
	for _, l := range []struct{ key, address string }{{"dicom", c.DICOM}, {"plain_dicom", c.PlainDICOM}, {"http", c.HTTP}} {
		if sameListener(l.address, target) {
			warnings = append(warnings, fmt.Sprintf("unsafe: %s is the server's own listener (%s): "+
				"the route leads back to the gate", target, l.key))
		}
	}

	if c.PlainDICOM == "" {
		warnings = append(warnings, "note: plain_dicom is empty, so that the system behind can send nothing by itself: "+
			"no C-MOVE, and no report of storage commitment after its association has ended")
	} else if onlyHere(c.PlainDICOM) && !onlyHere(target) {
		warnings = append(warnings, fmt.Sprintf("note: the system behind does not reach %s, where it would send what somebody retrieves "+
			"by C-MOVE: set plain_dicom in collimator.yaml, and restart", c.PlainDICOM))
	}
	if onlyHere(c.DICOM) {
		warnings = append(warnings, fmt.Sprintf("note: callers on other machines do not reach %s: "+
			"set dicom in collimator.yaml, and restart (docs/operate.md, Settings)", c.DICOM))
	}
	return warnings
}

// warnPeople says why people would not reach a system behind a route, where they are meant to.
func warnPeople(c config.Config, r gate.Route) (warnings []string) {
	if (r.Web != nil || r.DICOMweb) && (c.HTTP == "" || onlyHere(c.HTTP)) {
		at := cmp.Or(c.HTTP, "empty")
		warnings = append(warnings, fmt.Sprintf("note: browsers and viewers on other machines do not reach http (%s), "+
			"where people sign in: set http and hosts in collimator.yaml, and restart (docs/operate.md, Settings)", at))
	}
	if err := shownForPages(c, r); err != nil {
		warnings = append(warnings, "note: "+err.Error())
	}
	return warnings
}

// onlyHere reports an address that this machine alone reaches.
func onlyHere(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// sameListener reports whether whoever calls a target gets to a listener.
func sameListener(listener, target string) bool {
	own, port, err := net.SplitHostPort(listener)
	host, targetPort, _ := net.SplitHostPort(target)
	if err != nil || port != targetPort {
		return false
	}
	if host == own || onlyHere(listener) && onlyHere(target) {
		return true
	}

	everywhere, err := netip.ParseAddr(own)
	if own != "" && (err != nil || !everywhere.IsUnspecified()) {
		return false
	}
	return onlyHere(target) || slices.Contains(ownAddresses(), host)
}

// ownAddresses are those of the network interfaces.
func ownAddresses() (list []string) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr().Unmap().String())
		}
	}
	return list
}

// askMost is how long a system behind a route may take to say that it is there.
const askMost = 10 * time.Second

// DialPages fails where nothing takes connections at the pages of the system behind a route.
func DialPages(ctx context.Context, r gate.Route) error {
	ctx, cancel := context.WithTimeout(ctx, askMost)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.Web.Behind())
	if err != nil {
		return fmt.Errorf("its pages are not at %s: %w", r.Web.To, err)
	}
	return conn.Close()
}

// AskBehind asks the system behind a route whether it is there, under an AE title that it
// is called by; where none is known, the archive's own.
func AskBehind(ctx context.Context, c config.Config, r gate.Route, callers []string) error {
	ctx, cancel := context.WithTimeout(ctx, askMost)
	defer cancel()
	_, err := r.Ask(ctx, cmp.Or(first(callers), c.AE))
	return err
}
