package main

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
	"strings"

	"collimator/internal/fault"
	"collimator/internal/gate/reverse"
	"collimator/internal/house"
)

// pagesFlags are those of 'gate add' for the pages of the system behind.
type pagesFlags struct {
	Web        string `name:"web" help:"Where the pages of that system are, as http://10.0.0.5:8042: people who are signed in see them, and change nothing. https needs --trust or --ca." placeholder:"URL"`
	WebAt      string `name:"web-at" help:"Where browsers find them, at a host name of their own; default: the name of the route below the host of this server's own pages, one port further." placeholder:"https://HOST:PORT"`
	WebProduct string `name:"web-product" help:"Whose ready-made rules count: orthanc, or none." enum:"orthanc,none" default:"orthanc"`
}

// pages is the block that the flags say; nil without.
func (c *gateAddCmd) pages() (*reverse.Block, error) {
	if c.Web == "" {
		if c.WebAt != "" {
			return nil, fault.Usage("--web-at goes with --web")
		}
		return nil, nil
	}

	b := &reverse.Block{To: c.Web, At: c.WebAt, CA: c.CA, Fingerprint: c.fingerprint(), Product: c.WebProduct}
	if b.Product == "none" {
		b.Product = ""
	}
	if b.At == "" {
		cfg, err := c.load()
		if err != nil {
			return nil, err
		}
		if b.At, err = below(c.Name, house.BestOrigin(cfg)); err != nil {
			return nil, err
		}
	}
	if err := b.Check(); err != nil {
		return nil, fault.Usage("--web: %w", err)
	}
	return b, nil
}

// below is where pages of a route are found that nobody named a place for: at a host of their own, because
// cookies do not tell ports apart, one port further.
func below(route, origin string) (string, error) {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return "", fault.Usage("--web needs the HTTPS listener, where people sign in: set http in the settings")
	}
	if net.ParseIP(u.Hostname()) != nil {
		return "", fault.Usage("--web: this server is known by an address, and pages of another system need a host name of their own: " +
			"name one that leads to this machine with --web-at https://HOST:PORT")
	}
	port, err := strconv.Atoi(cmp.Or(u.Port(), "443"))
	if err != nil {
		return "", err
	}
	name := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(route, "_", "-"), ".", "-"))
	return "https://" + net.JoinHostPort(name+"."+u.Hostname(), strconv.Itoa(port+1)), nil
}

type gatePasswordCmd struct {
	dataFlags
	Name   string `arg:"" help:"Name of the route." completes:"gate list -o names"`
	User   string `help:"Name of the gate at the system behind; default: the one that is kept." placeholder:"NAME" xor:"do"`
	Remove bool   `help:"Take it away: the gate shows none." xor:"do"`
}

func (gatePasswordCmd) Help() string {
	return `The gate shows it to the system behind when somebody asks for its pages (Basic, RFC 7617), and to nobody
else. The password is asked for without echo, or read from the standard input. It is kept with the keys.

Examples:
  collimator gate password PACS --user gate
  collimator gate password PACS --user gate < password.txt
  collimator gate password PACS --remove`
}

// passwordMost bounds what is read, in bytes.
const passwordMost = 4 << 10

func (c *gatePasswordCmd) Run(e *env) error {
	if c.User == "" && !c.Remove {
		if err := c.with(e, func(in *house.Installation) error { return c.sameUser(e, in) }); err != nil {
			return err
		}
	}
	password := ""
	if !c.Remove {
		text, err := e.asking().Secret("Password at the system behind: ", passwordMost)
		if err != nil {
			return err
		}
		password = strings.TrimRight(text, "\r\n")
	}
	return c.with(e, func(in *house.Installation) error {
		if err := in.SetPagePassword(e.ctx, c.Name, c.User, password); err != nil {
			return fault.Misuse(err)
		}
		if c.Remove {
			return e.say("The gate shows no password to the pages behind %s.\n", c.Name)
		}
		return e.say("Kept. It counts from the next request on.\n")
	})
}

// sameUser takes the name that is kept: the system behind has another password for it.
func (c *gatePasswordCmd) sameUser(e *env, in *house.Installation) (err error) {
	if _, _, err = in.Route(e.ctx, c.Name); err != nil {
		return err
	}
	c.User, err = in.PageUser(c.Name)
	if err == nil && c.User == "" {
		err = fault.Usage("say --user NAME, the name of the gate at the system behind; or --remove")
	}
	return err
}
