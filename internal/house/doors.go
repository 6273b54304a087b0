package house

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/gate/kind"
	"collimator/internal/gate/maintenance"
	"collimator/internal/identity"
	"collimator/internal/lockout"
	"collimator/internal/policy"
	"collimator/internal/tlsprofile"
)

// openDoors makes the doors for maintenance of a server. None is there from before.
func (s *Server) openDoors() error {
	o := s.in.doorOptions(func() ([]gate.Route, error) { return s.gate.Routes(), nil })
	o.Running = s.Guard.Sessions.Running
	o.Record = func(ctx context.Context, r audit.Record) error {
		return s.in.Trail.Write(context.WithoutCancel(ctx), r)
	}
	o.Keep = s.keeper.Write
	o.States = s.States
	o.Log = s.log
	s.Doors = maintenance.New(o)
	return nil
}

// Doors are the doors for maintenance, for a command beside the server, or instead of
// it.
func (in *Installation) Doors() *maintenance.Doors {
	return maintenance.New(in.doorOptions(func() ([]gate.Route, error) { return gate.Load(RoutesFile(in.Config)) }))
}

func (in *Installation) doorOptions(routes func() ([]gate.Route, error)) maintenance.Options {
	names := &kind.Names{}
	engine := policy.New()
	return maintenance.Options{
		DB:        in.DB,
		Registers: in.Registers,
		May:       func(ctx context.Context, person string) error { return in.mayMaintain(ctx, engine, person) },
		Own:       ownPorts(in.Config),
		Place: func(ctx context.Context, route string) (maintenance.Place, error) {
			list, err := routes()
			if err != nil {
				return maintenance.Place{}, err
			}
			return placeOf(ctx, list, route, names)
		},
	}
}

// placeOf is what stands behind a route that is open.
func placeOf(ctx context.Context, routes []gate.Route, name string, names *kind.Names) (p maintenance.Place, err error) {
	r, err := gate.Find(routes, name)
	if err != nil {
		return p, err
	}
	if r.Closed {
		return p, fault.Newf(fault.Conflict, "gate: the route %s is closed: 'collimator gate reopen %s' comes first", name, name)
	}

	if p.Guarded, err = addressesOf(ctx, names, r.Behind()); err != nil {
		return p, err
	}
	for _, r := range routes {
		for _, address := range r.Guards() {
			// By a name that nobody knows the gate reaches nothing, and guards nothing.
			list, _ := addressesOf(ctx, names, address)
			p.Others = append(p.Others, list...)
		}
		for _, own := range r.Listeners() {
			if at, err := netip.ParseAddrPort(own); err == nil { // the route was checked
				p.Listeners = append(p.Listeners, at.Port())
			}
		}
	}
	return p, nil
}

// addressesOf are those that host:port means. With an error they are those that it meant
// before, if any.
func addressesOf(ctx context.Context, names *kind.Names, address string) (list []netip.AddrPort, err error) {
	host, text, _ := net.SplitHostPort(address)
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", text)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "gate: %s has no port: %v", address, err)
	}
	ips, err := names.Addresses(ctx, host)
	if err != nil {
		err = fault.Newf(fault.Unavailable, "gate: nobody says which address %s has: %v", host, err)
	}
	for _, ip := range ips {
		list = append(list, netip.AddrPortFrom(ip, uint16(port)))
	}
	return list, err
}

// ownPorts are those on which the server of these settings listens.
func ownPorts(c config.Config) (ports []uint16) {
	for _, address := range []string{c.DICOM, c.PlainDICOM, c.HTTP} {
		_, text, _ := net.SplitHostPort(address)
		if port, err := strconv.ParseUint(text, 10, 16); err == nil {
			ports = append(ports, uint16(port))
		}
	}
	return ports
}

// mayMaintain fails for a person who may not come through a door, or cannot: a terminal
// takes a password and a code of an authenticator app.
func (in *Installation) mayMaintain(ctx context.Context, engine *policy.Engine, person string) error {
	p, err := in.Registry.Person(ctx, person)
	if fault.Of(err) == fault.NotFound {
		return fault.Newf(fault.NotFound, "maintenance: nobody of the name %s is registered; "+
			"'collimator user link %s --role vendor' makes a link by which to choose both password and second factor; "+
			"it has to be used before", person, person)
	}
	if err != nil {
		return err
	}

	d := engine.Decide(policy.Request{Principal: p.Principal(), Verb: policy.Maintain, Now: time.Now()})
	if !d.Allow {
		return fault.Newf(fault.Denied, "maintenance: %s is %s: a door is for a vendor or an administrator", person, p.Role)
	}
	if s := in.Config.SignIn; !s.Local && !slices.Contains(s.BreakGlass, person) {
		return fault.Newf(fault.Denied, "maintenance: %s signs in at the identity provider alone (signin.local), "+
			"which a terminal cannot", person)
	}

	f, err := in.Registry.Factors(ctx, person)
	if err == nil && !f.TOTP {
		err = fault.Newf(fault.Denied, "maintenance: %s has no authenticator app; "+
			"it is set up in a browser, or with 'collimator user totp %s'", person, person)
	}
	return err
}

// enterDoor lets who shows the code of a door into it; codes that do not count make the
// address wait.
func (s *Server) enterDoor(ctx context.Context, v maintenance.Visitor, secret string) (maintenance.Door, error) {
	return lockout.Find(ctx, func() (maintenance.Door, error) { return s.Doors.Claim(ctx, v, secret) }, s.Guard.FromAddress(v.Address))
}

// DoorCode is the code of a door, without its secret: at is HOST:PORT at which the
// server is reached, empty for what the settings say; pin is a file with the certificate
// that is shown there, empty for that of the settings.
func DoorCode(c config.Config, at, pin string) (code maintenance.Code, err error) {
	code.Address = at
	if at == "" {
		if code.Address, err = webAddress(c); err != nil {
			return code, err
		}
	}
	host, _, err := net.SplitHostPort(code.Address)
	if err != nil {
		return code, fault.Usage("--at: %q is not HOST:PORT", at)
	}

	if pin == "" {
		pin = shownAt(c, host)
	}
	b, err := os.ReadFile(pin)
	if errors.Is(err, fs.ErrNotExist) {
		return code, fault.Newf(fault.Unavailable, "there is no certificate of %s yet (%s): "+
			"is it the name that its clients use?", host, pin)
	}
	if err != nil {
		return code, err
	}
	cert, err := identity.ParseCertificate(b)
	if err != nil {
		return code, fmt.Errorf("the certificate in %s: %w", pin, err)
	}
	code.Fingerprint = tlsprofile.Fingerprint(cert)
	return code, nil
}

// webAddress is where others reach the HTTPS listener.
func webAddress(c config.Config) (string, error) {
	u, err := url.Parse(BestOrigin(c))
	if err != nil || u.Host == "" {
		return "", fault.Usage("a door needs the HTTPS listener, which is turned off: set http in the settings")
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443"), nil
	}
	return u.Host, nil
}

// shownAt is the file with the certificate that is shown under a name.
func shownAt(c config.Config, host string) string {
	host = strings.ToLower(host)
	switch {
	case c.TLS.Certificate != "":
		return c.TLS.Certificate
	case c.TLS.ACME.Directory != "" && slices.Contains(c.TLS.ACME.Hosts, host):
		return filepath.Join(c.Data, filepath.FromSlash(acmeDir), host)
	}
	return filepath.Join(c.Data, KeysDir, "server.cert.pem")
}

// OpenDoor opens a door for the server that runs, with a record, and gives its code.
func (in *Installation) OpenDoor(ctx context.Context, o maintenance.Order, at, pin string) (x maintenance.Door, code string, err error) {
	c, err := DoorCode(in.Config, at, pin)
	if err != nil {
		return x, "", err
	}
	if _, err := AskHealth(ctx, in.Config); err != nil {
		return x, "", fault.Newf(fault.Unavailable, "a door is there while the server runs, and none answers at %s: %v",
			in.Config.HTTP, err)
	}

	o.Opener = Operator()
	x, c.Secret, err = in.Doors().Open(ctx, o, in.noteDoor(audit.Create))
	if err != nil {
		return x, "", err
	}
	return x, c.String(), nil
}

// ShutDoor ends a door, with a record.
func (in *Installation) ShutDoor(ctx context.Context, number int64) (maintenance.Door, error) {
	return in.Doors().Shut(ctx, number, in.noteDoor(audit.Delete))
}

func (in *Installation) noteDoor(action audit.Action) func(context.Context, audit.Object) error {
	return func(ctx context.Context, o audit.Object) error { return in.Note(ctx, audit.MaintenanceDoor, action, o) }
}
