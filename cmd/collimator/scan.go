package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"collimator/internal/config"
	"collimator/internal/finding"
	"collimator/internal/house"
	"collimator/internal/posture"
	"collimator/internal/scan"
)

type scanCmd struct {
	dataFlags
	Targets []string `arg:"" help:"Addresses, ranges or host names, each with :PORT,PORT behind where only these are meant." placeholder:"TARGET"`

	Scope   string   `help:"Scope file: which ranges are yours. Default: scope.yaml in the data directory, where it exists." placeholder:"FILE"`
	Own     []string `help:"Private range that is yours; 'targets' for all that is named." placeholder:"RANGE"`
	Ports   string   `help:"TCP ports, as 104,11112,8000-8010. Default: those of DICOM and of web services." placeholder:"LIST"`
	HL7     string   `name:"hl7-ports" help:"Ports of HL7: they are connected to and nothing is sent." default:"2575,6661" placeholder:"LIST"`
	NoHost  bool     `help:"Leave out management services (telnet, SMB, databases) beside imaging."`
	AllSlow bool     `name:"all-ports-on-silent" help:"Try all ports on addresses that do not answer on the first three."`

	Rate    int           `help:"Most new connections a second, in total. Default: 2000; on loopback 100000." placeholder:"N" bounds:"1 to 1000000"`
	Hosts   int           `help:"How many hosts are asked at a time, each with one connection." default:"16" bounds:"1 to 4096"`
	Pause   time.Duration `help:"Between two connections to a host, give or take half." default:"20ms" bounds:"1ms to 1h"`
	Timeout time.Duration `help:"For each connection." default:"5s" bounds:"10ms to 10m"`

	OptIn       []string `help:"Checks that are not made by default: ${optin}." placeholder:"WORD"`
	Consent     string   `help:"Who agreed in writing to count-matches and store-test-object, as 'confirmed by NAME on DATE'." placeholder:"TEXT"`
	CalledAET   string   `name:"called-aet" help:"Called AE title that is known to be right." placeholder:"AET"`
	AsDevice    string   `help:"Calling AE title of a device, for --opt-in as-device." placeholder:"AET"`
	Credentials string   `help:"File with the credentials that products are delivered with, for --opt-in default-credentials. None is built in." placeholder:"FILE"`
	CA          string   `name:"ca" help:"Authorities of your own (PEM), beside those of the system." placeholder:"FILE"`
	KnownKeys   string   `help:"Public keys whose private keys are published: SHA-256 of the SubjectPublicKeyInfo and a name on each line." placeholder:"FILE"`

	State   string           `help:"File from which a broken-off scan goes on." placeholder:"FILE"`
	Output  string           `short:"o" help:"Form of the output: table, json, csv, sarif, html or pdf." enum:"table,json,csv,sarif,html,pdf" default:"table"`
	Out     string           `help:"Write the output into a file." placeholder:"FILE"`
	Record  bool             `help:"Store what was found in the inventory."`
	FailOn  finding.Severity `help:"Exit with code 5 where an issue is at least so severe: critical, high, medium, low." placeholder:"SEVERITY"`
	Explain bool             `help:"Say what would be sent, and send nothing."`
}

func (scanCmd) Help() string {
	return `Looks for services of imaging in networks that are yours, and says who may use them and
how to close what is open. One connection to a host at a time; nothing that exists is asked
for; no patient data crosses the wire. Say with --own or a scope file what is yours.

Example:
  collimator scan 10.20.0.0/16 --own 10.20.0.0/16 --explain
  collimator scan 10.20.0.0/16 --scope scope.yaml -o html --out scan.html
  collimator scan pacs.example:104,11112 --own targets --fail-on high`
}

// exitFound is the code where --fail-on applies.
const exitFound = 5

func (c *scanCmd) Run(e *env) error {
	opt, err := c.options(e)
	if err != nil {
		return err
	}
	if c.Explain {
		text, err := scan.Explain(*opt)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		_, err = io.WriteString(e.stdout, text)
		return err
	}
	trail, done, err := c.auditTrail(e)
	if err != nil {
		return err
	}
	return errors.Join(c.scan(e, opt, trail), done())
}

// prepare gives the scan its advisories, and with --record the inventory.
func (c *scanCmd) prepare(e *env, opt *scan.Options, trail *scanTrail) (*posture.Recorder, error) {
	table, err := trail.advisories(e.ctx)
	if err != nil {
		return nil, err
	}
	opt.Advise = posture.Advise(table)
	trail.trust(opt)
	if !c.Record {
		return nil, nil
	}
	if trail.in == nil {
		return nil, usageError("--record needs a data directory; name it with --data")
	}
	if _, err := scan.Explain(*opt); err != nil {
		return nil, nil // refused before anything is noted
	}
	recorder, err := trail.recorder(e.ctx, opt)
	if err == nil {
		opt.Sink = recorder
	}
	return recorder, err
}

// scan runs, writes what was found and what was done.
func (c *scanCmd) scan(e *env, opt *scan.Options, trail *scanTrail) error {
	recorder, err := c.prepare(e, opt, trail)
	if err != nil {
		return err
	}
	if err := trail.begin(e.ctx, c, opt); err != nil {
		return err
	}

	line := newProgress(e, "Looked at", 0)
	opt.Progress = func(done, total uint64, services int) { line.set(int(done), 0, int(total)) }
	result, err := scan.Run(e.ctx, *opt)
	line.end()

	if result == nil {
		if errors.Is(err, scan.ErrScope) {
			return &exitError{exitUsage, errors.Join(err, trail.refused(context.WithoutCancel(e.ctx), err))}
		}
		return &exitError{exitUsage, err}
	}

	if err := trail.end(context.WithoutCancel(e.ctx), result); err != nil {
		return err
	}
	if recorder != nil {
		if err := recorder.Finish(context.WithoutCancel(e.ctx)); err != nil {
			return err
		}
	}

	if werr := c.write(e, result); werr != nil {
		return werr
	}
	return c.verdict(result, err)
}

// verdict is the exit code of a scan that ran, with err where it was stopped.
func (c *scanCmd) verdict(result *scan.Result, err error) error {
	if err != nil {
		hint := ""
		if c.State != "" {
			hint = "; run the same command again to go on"
		}
		return &exitError{exitPartial, fmt.Errorf("%w%s", err, hint)}
	}
	if worst, ok := result.Worst(); ok && c.FailOn > finding.Info && worst >= c.FailOn {
		return &exitError{exitFound, fmt.Errorf("issues of severity %s or worse were found", c.FailOn)}
	}
	return nil
}

// options puts the flags together.
func (c *scanCmd) options(e *env) (*scan.Options, error) {
	opt := &scan.Options{
		NoHost: c.NoHost, AllPortsOnSilent: c.AllSlow, Rate: c.Rate, Hosts: c.Hosts, Pause: c.Pause, Timeout: c.Timeout,
		CalledAETitle: c.CalledAET, AsDevice: c.AsDevice, State: c.State, OptIn: map[string]bool{},
	}

	for _, title := range []string{c.CalledAET, c.AsDevice} {
		if title != "" && !config.ValidAE(title) {
			return nil, usageError("%q is no AE title", title)
		}
	}

	var err error
	if c.Ports != "" {
		if opt.Ports, err = scan.ParsePorts(c.Ports); err != nil {
			return nil, &exitError{exitUsage, err}
		}
	}
	opt.HL7Ports = []uint16{}
	if c.HL7 != "" {
		if opt.HL7Ports, err = scan.ParsePorts(c.HL7); err != nil {
			return nil, &exitError{exitUsage, err}
		}
	}

	for _, t := range c.Targets {
		targets, err := scan.ParseTarget(e.ctx, t, scan.Resolve)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		opt.Targets = append(opt.Targets, targets...)
	}

	if opt.Scope, err = c.scope(opt.Targets); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if err := c.optIns(opt); err != nil {
		return nil, err
	}
	return opt, c.files(opt)
}

// scope reads the scope file and adds --own.
func (c *scanCmd) scope(targets []scan.Target) (*scan.Scope, error) {
	scope := &scan.Scope{}
	path := c.Scope
	if path == "" {
		if cfg, err := c.load(); err == nil {
			if p := filepath.Join(cfg.Data, "scope.yaml"); house.FileExists(p) {
				path = p
			}
		}
	}

	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("scope file: %w", err)
		}
		defer f.Close()
		if scope, err = scan.ReadScope(f); err != nil {
			return nil, err
		}
	}

	for _, own := range c.Own {
		if own == "targets" {
			for _, t := range targets {
				if err := scope.Own(t.Prefix); err != nil {
					return nil, err
				}
			}
			continue
		}
		p, err := scan.ParsePrefix(own)
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
func (c *scanCmd) optIns(opt *scan.Options) error {
	for _, list := range c.OptIn {
		for _, word := range strings.Split(list, ",") {
			if !slices.Contains(finding.Options(), word) {
				return usageError("--opt-in %s is not known; choose from %s", word, strings.Join(finding.Options(), ", "))
			}
			opt.OptIn[word] = true
		}
	}
	switch {
	case (opt.OptIn["count-matches"] || opt.OptIn["store-test-object"]) && !scan.Confirmed(c.Consent):
		return usageError("this check touches what is stored: it needs  --consent 'confirmed by NAME on DATE'  from whoever answers for the data")
	case opt.OptIn["replace-test-object"] && !opt.OptIn["store-test-object"]:
		return usageError("--opt-in replace-test-object needs store-test-object too")
	case opt.OptIn["as-device"] && c.AsDevice == "":
		return usageError("--opt-in as-device needs --as-device AET; tell the PACS team first, it is logged there as that device")
	case opt.OptIn["default-credentials"] && c.Credentials == "":
		return usageError("--opt-in default-credentials needs --credentials FILE: this program brings no passwords")
	}
	return nil
}

// Bounds of the files a scan reads.
const maxScanFile = 4 << 20

// files reads authorities, known keys and credentials.
func (c *scanCmd) files(opt *scan.Options) error {
	if c.CA != "" {
		b, err := readBounded(c.CA)
		if err != nil {
			return err
		}
		opt.Roots = x509.NewCertPool()
		if !opt.Roots.AppendCertsFromPEM(b) {
			return usageError("%s holds no certificate in PEM", c.CA)
		}
	}

	if c.KnownKeys != "" {
		b, err := readBounded(c.KnownKeys)
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

	if c.Credentials == "" {
		return nil
	}
	b, err := readBounded(c.Credentials)
	if err != nil {
		return err
	}

	var file map[string]struct {
		User     string `yaml:"user"`
		Password string `yaml:"password"`
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		return usageError("%s is not as it should be: PRODUCT, and below it user and password", c.Credentials)
	}

	opt.Credentials = map[string]scan.Credential{}
	for product, login := range file {
		opt.Credentials[strings.ToLower(product)] = scan.NewCredential(login.User, login.Password)
	}
	return nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxScanFile))
}
