package house

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"collimator/internal/config"
	"collimator/internal/policy"
)

// CheckOutside holds settings against what is outside of the file: files that are not
// there, roles that nobody has, a socket that has no place.
func CheckOutside(c config.Config) error {
	var faults []error
	files := c.Files()
	for _, setting := range slices.Sorted(maps.Keys(files)) {
		if err := checkFile(setting, files[setting]); err != nil {
			faults = append(faults, fmt.Errorf("config: %w", err))
		}
	}
	for _, pair := range presented(c) {
		if _, err := pair.open(func(error) {}); err != nil && FileExists(pair.certificate) && FileExists(pair.key) {
			faults = append(faults, fmt.Errorf("config: %w", err))
		}
	}
	for _, r := range c.SignIn.OIDC.Roles {
		if !slices.Contains(policy.Roles(), policy.Role(r.Role)) {
			faults = append(faults, fmt.Errorf("config: signin.oidc.roles: %q is no role; choose from %s", r.Role, joined(policy.Roles())))
		}
	}
	if at := c.Inspect.Clamd; at != "" && !filepath.IsAbs(at) {
		if _, _, err := net.SplitHostPort(at); err != nil {
			faults = append(faults, fmt.Errorf("config: inspect.clamd: %q is neither a path from the root nor HOST:PORT", at))
		}
	}
	return errors.Join(faults...)
}

// checkFile reads a file that a setting names as the server does at its start.
func checkFile(setting, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("%s: %w", setting, err)
	}

	switch setting {
	case mailPassword:
		_, err = SecretOf(setting, path, 1)
	case "alarms.mail.oauth.client_secret_file", "signin.oidc.client_secret_file":
		_, err = SecretOf(setting, path, 1)
	case hookSecret:
		_, err = SecretOf(setting, path, secretLeast)
	case "alarms.mail.roots", "alarms.webhook.roots", "alarms.syslog.roots", "signin.oidc.roots", "tls.acme.roots", "audit.roots",
		"alarms.mail.oauth.roots":
		_, err = RootsOf(setting, path)
	}
	return err
}

func joined[T ~string](list []T) string {
	var words []string
	for _, w := range list {
		words = append(words, string(w))
	}
	return strings.Join(words, ", ")
}
