package scan

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"collimator/internal/config"
	"collimator/internal/fault"
	"collimator/internal/finding"
)

// Wish is a scan as somebody at a command line asks for it: lists, ranges and names
// of files are not read yet.
type Wish struct {
	Targets []string // addresses, ranges or host names, each with :PORT,PORT behind where only these are meant

	Scope   string   // scope file; empty for none
	Own     []string // private ranges that are one's own; 'targets' for all that is named
	Ports   string   // list of TCP ports; empty for the default
	HL7     string   // list of ports of HL7; empty for none
	NoHost  bool     // leaves out management services
	AllSlow bool     // see AllPortsOnSilent of Options

	Rate    int           // most new connections a second; 0 for the default
	Hosts   int           // asked at a time
	Pause   time.Duration // between two connections to a host
	Timeout time.Duration // for each connection

	OptIn       []string // words of finding.Options, joined with commas
	Consent     string   // who agreed in writing to what touches stored data
	CalledAET   string   // that is known to be right
	AsDevice    string   // calling AE title, for the opt-in as-device
	Credentials string   // file with the credentials that products are delivered with
	CA          string   // file with authorities, PEM
	KnownKeys   string   // file with SHA-256 of public keys and a name on each line

	State string // file from which a broken-off scan goes on
}

// Options checks what was asked for and reads the files that it names. What makes
// no sense ends as fault.Misused. Names of hosts are resolved.
func (w Wish) Options(ctx context.Context) (*Options, error) {
	opt := &Options{
		CalledAETitle: w.CalledAET, AsDevice: w.AsDevice, State: w.State, OptIn: map[string]bool{},
		NoHost: w.NoHost, AllPortsOnSilent: w.AllSlow,
		Rate: w.Rate, Hosts: w.Hosts, Pause: w.Pause, Timeout: w.Timeout,
	}

	for _, title := range []string{w.CalledAET, w.AsDevice} {
		if title != "" && !config.ValidAE(title) {
			return nil, fault.Usage("%q is a malformed AE title", title)
		}
	}

	var err error
	if w.Ports != "" {
		if opt.Ports, err = ParsePorts(w.Ports); err != nil {
			return nil, fault.Ended(fault.Misused, err)
		}
	}
	opt.HL7Ports = []uint16{}
	if w.HL7 != "" {
		if opt.HL7Ports, err = ParsePorts(w.HL7); err != nil {
			return nil, fault.Ended(fault.Misused, err)
		}
	}

	for _, t := range w.Targets {
		targets, err := ParseTarget(ctx, t, Resolve)
		if err != nil {
			return nil, fault.Ended(fault.Misused, err)
		}
		opt.Targets = append(opt.Targets, targets...)
	}

	if opt.Scope, err = w.scope(opt.Targets); err != nil {
		return nil, fault.Ended(fault.Misused, err)
	}
	if err := w.optIns(opt); err != nil {
		return nil, err
	}
	return opt, w.files(opt)
}

// scope reads the scope file and adds the ranges of --own, of which the word targets
// stands for all that is to be scanned.
func (w Wish) scope(targets []Target) (*Scope, error) {
	scope := &Scope{}
	if w.Scope != "" {
		f, err := os.Open(w.Scope)
		if err != nil {
			return nil, fmt.Errorf("scope file: %w", err)
		}
		defer f.Close()
		if scope, err = ReadScope(f); err != nil {
			return nil, err
		}
	}

	for _, own := range w.Own {
		if own == "targets" {
			for _, t := range targets {
				if err := scope.Own(t.Prefix); err != nil {
					return nil, err
				}
			}
			continue
		}

		p, err := ParsePrefix(own)
		if err == nil {
			err = scope.Own(p)
		}
		if err != nil {
			return nil, err
		}
	}
	return scope, nil
}

// optIns checks the words of --opt-in and what they need.
func (w Wish) optIns(opt *Options) error {
	for _, list := range w.OptIn {
		for _, word := range strings.Split(list, ",") {
			if !slices.Contains(finding.Options(), word) {
				return fault.Usage("--opt-in %s is not known; choose from %s", word, strings.Join(finding.Options(), ", "))
			}
			opt.OptIn[word] = true
		}
	}

	switch {
	case (opt.OptIn["count-matches"] || opt.OptIn["store-test-object"]) && !Confirmed(w.Consent):
		return fault.Usage("this check touches what is stored: it needs  --consent 'confirmed by NAME on DATE'  " +
			"from whoever answers for the data")
	case opt.OptIn["replace-test-object"] && !opt.OptIn["store-test-object"]:
		return fault.Usage("--opt-in replace-test-object needs store-test-object too")
	case opt.OptIn["as-device"] && w.AsDevice == "":
		return fault.Usage("--opt-in as-device needs --as-device AET; tell the PACS team first, it is logged there as that device")
	case opt.OptIn["default-credentials"] && w.Credentials == "":
		return fault.Usage("--opt-in default-credentials needs --credentials FILE: this program brings no passwords")
	}
	return nil
}

// wishFileMost is the most bytes of a file that a wish names.
const wishFileMost = 4 << 20

// files reads authorities, known keys and credentials into opt. Known keys are lines of
// a SHA-256 and a name; credentials are YAML, with the product as the key.
func (w Wish) files(opt *Options) error {
	if w.CA != "" {
		b, err := readBounded(w.CA)
		if err != nil {
			return err
		}

		opt.Roots = x509.NewCertPool()
		if !opt.Roots.AppendCertsFromPEM(b) {
			return fault.Usage("%s holds no certificate in PEM", w.CA)
		}
	}

	if w.KnownKeys != "" {
		b, err := readBounded(w.KnownKeys)
		if err != nil {
			return err
		}

		opt.KnownKeys = map[string]string{}
		for _, line := range strings.Split(string(b), "\n") {
			if sum, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && len(sum) == 64 {
				opt.KnownKeys[strings.ToLower(sum)] = strings.TrimSpace(name)
			}
		}
	}

	if w.Credentials == "" {
		return nil
	}
	b, err := readBounded(w.Credentials)
	if err != nil {
		return err
	}

	var file map[string]struct {
		User     string `yaml:"user"`
		Password string `yaml:"password"`
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		return fault.Usage("%s is malformed: write PRODUCT, and below it user and password", w.Credentials)
	}

	opt.Credentials = map[string]Credential{}
	for product, login := range file {
		opt.Credentials[strings.ToLower(product)] = NewCredential(login.User, login.Password)
	}
	return nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Ended(fault.Misused, err)
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, wishFileMost))
}
