package main

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"time"

	"collimator/internal/fault"
	"collimator/internal/finding"
	"collimator/internal/house"
	"collimator/internal/report"
	"collimator/internal/scan"
	"collimator/internal/terminal"
)

type scanCmd struct {
	dataFlags
	scanFlags

	Output  string           `short:"o" help:"Form of the output: table, json, csv, sarif, html or pdf." enum:"table,json,csv,sarif,html,pdf" default:"table"`
	Out     string           `help:"Write the output into a file." placeholder:"FILE"`
	Record  bool             `help:"Store what was found in the inventory."`
	FailOn  finding.Severity `help:"Exit with code 5 where an issue is at least so severe: critical, high, medium, low." placeholder:"SEVERITY"`
	Explain bool             `help:"Say what would be sent, and send nothing."`
}

// scanFlags are what a scan.Wish is made of.
type scanFlags struct {
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

	State string `help:"File from which a broken-off scan goes on." placeholder:"FILE"`
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

func (c *scanCmd) Run(e *env) error {
	if c.Scope == "" {
		c.Scope = c.ownScope()
	}

	opt, err := scan.Wish(c.scanFlags).Options(e.ctx)
	if err != nil {
		return err
	}

	if c.Explain {
		text, err := scan.Explain(*opt)
		if err != nil {
			return fault.Ended(fault.Misused, err)
		}
		_, err = io.WriteString(e.stdout, text)
		return err
	}

	in, done, err := c.installation(e)
	if err != nil {
		return err
	}
	return errors.Join(c.scan(e, in, opt), done())
}

// ownScope is the scope file of the data directory; empty where it has none.
func (c *scanCmd) ownScope() string {
	cfg, err := c.load()
	if p := filepath.Join(cfg.Data, "scope.yaml"); err == nil && house.FileExists(p) {
		return p
	}
	return ""
}

// installation opens the data directory where there is one, else it gives nil. One
// that was named must exist.
func (c *scanCmd) installation(e *env) (*house.Installation, func() error, error) {
	cfg, err := c.loadChecked()
	if err != nil {
		return nil, nil, err
	}
	if c.Data == "" && !house.FileExists(filepath.Join(cfg.Data, house.IndexFile)) {
		return nil, func() error { return nil }, nil
	}

	in, err := e.open(cfg, false)
	if err != nil {
		return nil, nil, err
	}
	return in, in.Close, nil
}

// scan looks at the targets while it shows how far it is, and then writes what was found,
// also where the scan was stopped. Its error says how the scan ended, or what could
// not be written.
func (c *scanCmd) scan(e *env, in *house.Installation, opt *scan.Options) error {
	line := terminal.NewProgress(e.stderr, "Looked at", 0)
	opt.Progress = func(done, total uint64, services int) { line.Set(int(done), 0, int(total)) }

	result, err := house.Scan(e.ctx, in, house.Scanning{Targets: c.Targets, Consent: c.Consent, Record: c.Record}, opt)
	line.End()
	if result == nil {
		return err
	}

	var b bytes.Buffer
	if werr := house.WriteScan(&b, c.Output, result); werr != nil {
		return werr
	}
	if werr := terminal.Deliver(e.stdout, c.Out, b.Bytes(), report.Sentence(result.Issues())); werr != nil {
		return werr
	}
	return result.Verdict(err, c.State, c.FailOn)
}
