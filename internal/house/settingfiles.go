package house

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/gate"
	"collimator/internal/identity"
	"collimator/internal/inventory"
)

// checkFile reads a file that a setting names as whoever uses it does.
func checkFile(c config.Config, f config.NamedFile) error {
	in, err := os.Open(f.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Setting, err)
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("%s: %w", f.Setting, err)
	}

	switch f.Kind {
	case config.Authorities:
		return checkAuthorities(f)
	case config.Secret:
		return checkSecret(c, f)
	case config.PrivateKey:
		return groupAtMost(f.Setting, f.Path)
	case config.PublicKeys:
		return checkPublicKeys(c, f)
	}
	return nil // a certificate is looked at with its key
}

// checkAuthorities wants one certificate at least that has not expired.
func checkAuthorities(f config.NamedFile) error {
	if _, err := RootsOf(f.Setting, f.Path); err != nil {
		return err
	}
	b, err := os.ReadFile(f.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Setting, err)
	}

	var last time.Time
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if a, err := x509.ParseCertificate(block.Bytes); err == nil && a.NotAfter.After(last) {
			last = a.NotAfter
		}
	}
	if time.Now().After(last) {
		return fault.Usage("%s: what is in %s has expired, the last of it on %s: "+
			"get the authority's certificate of today", f.Setting, f.Path, last.UTC().Format(time.DateOnly))
	}
	return nil
}

func checkSecret(c config.Config, f config.NamedFile) error {
	if f.Setting == eabKey {
		if err := ownerOnly(f.Setting, f.Path); err != nil {
			return err
		}
		_, err := accountBinding(c.TLS.ACME)
		return err
	}

	least := 1
	if f.Setting == hookSecret {
		least = secretLeast
	}
	_, err := SecretOf(f.Setting, f.Path, least)
	return err
}

func checkPublicKeys(c config.Config, f config.NamedFile) error {
	if f.Setting == "tokens.keys" {
		_, err := tokenVerifier(c)
		return err
	}

	in, err := os.Open(f.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Setting, err)
	}
	defer in.Close()
	if _, err := inventory.ReadKeys(in); err != nil {
		return fault.Usage("%s: %w", f.Setting, err)
	}
	return nil
}

// ownerOnly refuses a file that others than its owner may read.
func ownerOnly(setting, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fault.Usage("%s: %w", setting, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fault.Usage("%s: others may read %s: chmod 600 it, with the account of the service as its owner", setting, path)
	}
	return nil
}

// groupAtMost refuses a key that others than its owner and a group may read. A group
// is how systems let one account read a key that another keeps: ssl-cert of Debian,
// fsGroup of Kubernetes, the credentials of systemd.
func groupAtMost(setting, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fault.Usage("%s: %w", setting, err)
	}
	if info.Mode().Perm()&0o037 != 0 {
		return fault.Usage("%s: everybody may read %s, or its group may change it: chmod 640 it, "+
			"with the account of the service in its group, or chmod 600", setting, path)
	}
	return nil
}

// pairs are all certificates of the settings with their keys: what services are
// shown, and what browsers are.
func pairs(c config.Config) []presentedPair {
	list := presented(c)
	if c.TLS.Certificate != "" && c.TLS.Key != "" {
		list = append(list, presentedPair{webSetting, c.TLS.Certificate, c.TLS.Key, webCertificate, "browsers"})
	}
	return list
}

// The certificate for browsers: its setting, and the part under which its end is watched.
const (
	webSetting     = "tls.certificate"
	webCertificate = "certificate.web"
)

// check looks whether whoever is shown the pair will take it. That a file is
// missing is said elsewhere.
func (p presentedPair) check(c config.Config) error {
	if !FileExists(p.certificate) || !FileExists(p.key) {
		return nil
	}
	var early error
	f, err := identity.NewFileCertificate(p.certificate, p.key, time.Now, func(err error) { early = err })
	if err = cmp.Or(err, early); err != nil {
		return fault.Usage("%s: %s; put a certificate and its key there that belong together and are valid",
			p.setting, strings.TrimPrefix(err.Error(), "identity: "))
	}
	cert, err := f.Get()
	if err != nil {
		return err
	}

	if p.setting == webSetting {
		return p.names(c, cert.Leaf)
	}
	return nil
}

// names holds the names in a certificate for browsers against those under which
// they come: all of signin.origins, which are for browsers alone, and without them
// one of hosts, which name the listener for associations, too. A certificate for
// none of the origins and for one of hosts is shown to a proxy, which has another
// one for browsers.
func (p presentedPair) names(c config.Config, cert *x509.Certificate) error {
	origins, hosts := browserNames(c)
	named := func(name string) bool { return cert.VerifyHostname(name) == nil }

	setting := "signin.origins"
	missing := slices.DeleteFunc(slices.Clone(origins), named)
	switch {
	case len(origins) == 0:
		setting = "hosts"
		missing = hosts
		if slices.ContainsFunc(hosts, named) {
			missing = nil
		}
	case forProxy(c, cert):
		missing = nil
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.Usage("%[1]s: the certificate in %[2]s is not valid for %[3]s (%[4]s): get one with this name, "+
		"correct %[4]s, or name in hosts what a proxy calls this server",
		p.setting, p.certificate, strings.Join(missing, ", "), setting)
}

// browserNames are the names under which browsers come, of signin.origins and of hosts.
func browserNames(c config.Config) (origins, hosts []string) {
	for _, o := range c.SignIn.Origins {
		if u, err := url.Parse(o); err == nil {
			origins = append(origins, u.Hostname())
		}
	}
	// Few authorities put an address into a certificate, and devices call by one.
	hosts = slices.DeleteFunc(slices.Clone(c.Hosts), func(h string) bool { return net.ParseIP(h) != nil })
	return origins, hosts
}

// forProxy reports a certificate for none of the origins and for one of hosts.
func forProxy(c config.Config, cert *x509.Certificate) bool {
	origins, hosts := browserNames(c)
	named := func(name string) bool { return cert.VerifyHostname(name) == nil }
	return len(origins) > 0 && !slices.ContainsFunc(origins, named) && slices.ContainsFunc(hosts, named)
}

// shownForPages fails where the certificate of tls.certificate is not valid for the pages behind a route, which
// are shown with it. That it cannot be read is said elsewhere.
func shownForPages(c config.Config, r gate.Route) error {
	if r.Web == nil || c.TLS.Certificate == "" {
		return nil
	}
	f, err := identity.NewFileCertificate(c.TLS.Certificate, c.TLS.Key, time.Now, func(error) {})
	if err != nil {
		return nil
	}
	cert, err := f.Get()
	if err != nil || cert.Leaf.VerifyHostname(r.Web.Host()) == nil || forProxy(c, cert.Leaf) {
		return nil
	}
	return fault.Usage("%s: the certificate in %s is not valid for %s, where the pages behind %s are, and browsers warn of it: "+
		"get one with this name, or correct 'at' of the route", webSetting, c.TLS.Certificate, r.Web.Host(), r.Name)
}
