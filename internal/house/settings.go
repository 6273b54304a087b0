package house

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"collimator/internal/config"
	"collimator/internal/gate"
	"collimator/internal/policy"
)

// CheckOutside holds settings against what is outside of the file: files that are not
// there, roles that nobody has, a socket that has no place, a service that nothing
// names. A server starts all the same where it can, and its state "settings" says so.
func CheckOutside(c config.Config) error {
	var faults []error
	for _, err := range c.Unused() {
		faults = append(faults, fmt.Errorf("config: %w", err))
	}

	for _, f := range c.Files() {
		if err := checkFile(c, f); err != nil {
			faults = append(faults, fmt.Errorf("config: %w", err))
		}
	}
	for _, pair := range pairs(c) {
		if err := pair.check(c); err != nil {
			faults = append(faults, fmt.Errorf("config: %w", err))
		}
	}

	routes, _ := gate.Load(RoutesFile(c)) // that it cannot be understood is said elsewhere
	for _, r := range routes {
		if err := shownForPages(c, r); err != nil {
			faults = append(faults, fmt.Errorf("config: %w", err))
		}
	}

	for _, r := range c.SignIn.OIDC.Roles {
		if !slices.Contains(policy.Roles(), policy.Role(r.Role)) {
			faults = append(faults,
				fmt.Errorf("config: signin.oidc.roles: %q is not a role; choose from %s", r.Role, joined(policy.Roles())))
		}
	}

	if at := c.Inspect.Clamd; at != "" && !filepath.IsAbs(at) {
		if _, _, err := net.SplitHostPort(at); err != nil {
			faults = append(faults, fmt.Errorf("config: inspect.clamd: %q is neither a path from the root nor HOST:PORT", at))
		}
	}

	return errors.Join(faults...)
}

func joined[T ~string](list []T) string {
	var words []string
	for _, w := range list {
		words = append(words, string(w))
	}
	return strings.Join(words, ", ")
}
