package house

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"collimator/internal/audit"
	"collimator/internal/config"
	"collimator/internal/durable"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/gate/reverse"
	"collimator/internal/guard"
	"collimator/internal/identity"
	"collimator/internal/tlsprofile"
)

// newPages makes the server of pages of systems behind routes. It listens when it runs, where
// the routes of the gate say.
func (s *Server) newPages() *reverse.Server {
	return reverse.New(reverse.Options{
		Door:        s.Guard,
		TLS:         s.pagesTLS,
		Address:     s.pagesAddress,
		Console:     func() string { return BestOrigin(s.in.Config) },
		Credentials: s.in.PagePassword,
		States:      s.States,
		Log:         s.log,
		Now:         time.Now,
		Retry:       s.in.LookEvery,
	})
}

// pagesAddress is where to listen for pages at a port: where the server's own are.
func (s *Server) pagesAddress(port string) string {
	host, _, _ := net.SplitHostPort(s.in.Config.HTTP) // the settings were checked
	return net.JoinHostPort(host, port)
}

// pagesTLS is the TLS for a host: that of the server's own pages, where their certificate is from
// outside, else with a certificate of the server's authority for this host.
func (s *Server) pagesTLS(host string) (*tls.Config, error) {
	if s.in.Config.HTTP == "" {
		return nil, fault.New(fault.Invalid, "house: pages need the HTTPS listener, where people sign in: set http in the settings")
	}
	t := s.in.Config.TLS
	if s.webConfig != nil && (t.Certificate != "" || slices.Contains(t.ACME.Hosts, strings.ToLower(host))) {
		return s.webConfig.Clone(), nil
	}
	own, err := identity.NewHostCertificate(s.in.Authority, host)
	if err != nil {
		return nil, err
	}
	return tlsprofile.WebServer(own.Get), nil
}

// enterPages lets somebody who is signed in into the pages of a route: the address to which the
// browser goes next.
func (s *Server) enterPages(ctx context.Context, c *guard.Caller, route, nonce, to string) (string, error) {
	guest := reverse.Guest{Person: c.Person().Name, Role: c.Principal().Role, Session: c.Session().ID}
	return s.pages.Ticket(ctx, guest, route, nonce, to)
}

// pageHosts are those by which browsers reach the server's own pages.
func pageHosts(c config.Config) (hosts []string) {
	for _, origin := range origins(c) {
		host := strings.TrimPrefix(origin, "https://")
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		hosts = append(hosts, strings.ToLower(strings.Trim(host, "[]")))
	}
	return hosts
}

// pagesDir is where passwords at systems behind routes are kept, below KeysDir: with the keys they
// are sealed in backups.
const pagesDir = "pages"

func (in *Installation) pagePasswordFile(route string) string {
	return filepath.Join(in.Config.Data, KeysDir, pagesDir, route)
}

// Bounds of a name and a password at a system behind, in bytes.
const pagePasswordMost = 1024

// keptPassword is what is kept of the pages behind a route: origin, name and password. Empty where
// nothing is.
func (in *Installation) keptPassword(route string) (lines [3]string, err error) {
	if !gate.Addressable(route) {
		return lines, fault.New(fault.Invalid, "house: a route with pages has a name of letters and digits")
	}

	path := in.pagePasswordFile(route)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return lines, nil
	}
	if err == nil {
		err = ownerOnly("the password of "+route, path)
	}
	if err != nil {
		return lines, err
	}

	list := strings.Split(string(text), "\n")
	if len(list) != len(lines) {
		return lines, fmt.Errorf("%s is not as 'collimator gate password' writes it", path)
	}
	return [3]string(list), nil
}

// PageUser is the name by which the gate asks for the pages behind a route, wherever they were when it was
// set; empty where none is.
func (in *Installation) PageUser(route string) (name string, err error) {
	lines, err := in.keptPassword(route)
	return lines[1], err
}

// PagePassword is the name and the password by which the gate asks for the pages at an origin behind a
// route; both empty where none is set. One that was set for another origin is an error: it is not
// for whoever is there now.
func (in *Installation) PagePassword(route, origin string) (name, password string, err error) {
	lines, err := in.keptPassword(route)
	if err != nil || lines == [3]string{} {
		return "", "", err
	}
	if lines[0] != origin {
		return "", "", fault.Newf(fault.Unavailable,
			"house: the password of %s was set for %s, and the pages are at %s now: 'collimator gate password %s' sets it for them",
			route, lines[0], origin, route)
	}
	return lines[1], lines[2], nil
}

// SetPagePassword sets the name and the password by which the gate asks for the pages of the system behind
// a route, or takes them away where both are empty, with a record.
func (in *Installation) SetPagePassword(ctx context.Context, route, name, password string) error {
	r, _, err := in.Route(ctx, route)
	if err != nil {
		return err
	}
	if name == "" && password == "" { // also where the pages were taken out of the file before
		if err := in.dropPagePassword(route); err != nil {
			return err
		}
		return in.noteRoute(ctx, audit.Update, route, "password of its pages taken away")
	}
	if r.Web == nil {
		return fault.Newf(fault.Invalid, "gate: %s has no pages ('web' in %s)", route, gate.File)
	}

	control := func(c rune) bool { return c < ' ' || c == 0x7F }
	switch {
	case name == "" || password == "" || len(name)+len(password) > pagePasswordMost:
		return fault.Newf(fault.Invalid, "gate: a name and a password are needed, of %d bytes together at most", pagePasswordMost)
	case strings.Contains(name, ":") || strings.ContainsFunc(name, control) || strings.ContainsFunc(password, control):
		return fault.New(fault.Invalid, "gate: a name has no colon, and neither it nor a password has control characters (RFC 7617 2)")
	}
	path := in.pagePasswordFile(route)
	if err := durable.Directory(filepath.Dir(path)); err != nil {
		return fault.Wrap(fault.Unavailable, err, "gate: keep the password")
	}
	if err := durable.Whole(path, []byte(r.Web.Origin()+"\n"+name+"\n"+password), 0o600); err != nil {
		return fault.Wrap(fault.Unavailable, err, "gate: keep the password")
	}
	return in.noteRoute(ctx, audit.Update, route, "password of its pages set")
}

// dropPagePassword takes the password of a route away, if it has one: a route of the same name
// may lead elsewhere.
func (in *Installation) dropPagePassword(route string) error {
	if !gate.Addressable(route) {
		return nil
	}
	if err := os.Remove(in.pagePasswordFile(route)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, err, "gate: take the password away")
	}
	return nil
}
