package main

import (
	"fmt"
	"time"

	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/policy"
	"collimator/internal/terminal"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a bearer token; it is printed once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token now."`
}

type tokenCreateCmd struct {
	dataFlags
	User    string            `required:"" help:"Person it belongs to; it never reaches further than this person." placeholder:"NAME"`
	Scope   string            `help:"read, write (read and store), metrics (numbers for monitoring) or admin (all its owner may)." enum:"read,write,metrics,admin" default:"read"`
	Study   []string          `help:"The only studies it reaches; those of a route of the gate as ROUTE/UID." placeholder:"[ROUTE/]UID"`
	Expires terminal.Lifetime `help:"How long it is valid, at most 366d." default:"24h"`
}

func (tokenCreateCmd) Help() string {
	return `Example:
  TOKEN=$(collimator token create --user grace --scope read --expires 8h)
  curl --cacert data/keys/ca.cert.pem -H "Authorization: Bearer $TOKEN" https://127.0.0.1:8443/dicom-web/studies`
}

func (c *tokenCreateCmd) Run(e *env) error {
	if err := house.CheckStudies(c.Study); err != nil {
		return err
	}

	return c.with(e, func(in *house.Installation) error {
		t, secret, err := in.MakeToken(e.ctx, c.User, c.Scope, c.Study, time.Duration(c.Expires))
		if err != nil {
			return err
		}

		fmt.Fprintf(e.stderr, "Token %s of %s, valid until %s. It is shown only now:\n", t.ID, t.Owner, terminal.Minute(t.Expires))
		_, err = fmt.Fprintln(e.stdout, secret)
		return err
	})
}

type tokenListCmd struct {
	dataFlags
	outputFlag
}

func (tokenListCmd) Help() string { return "Example:\n  collimator token list" }

func (c *tokenListCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		list, err := in.Registry.Tokens(e.ctx)
		if err != nil {
			return err
		}
		return terminal.List(e.stdout, c.Output, list, "TOKEN|OWNER|ALLOW|STUDIES|UNTIL|REVOKED", tokenRow,
			"There is no token. Make one with 'collimator token create --user NAME'.")
	})
}

func tokenRow(t *identity.AccessToken) []string {
	studies := "all of its owner's"
	if n := len(t.Studies); n > 0 {
		studies = fmt.Sprint(n)
	}
	return []string{t.ID, t.Owner, policy.Join(t.Verbs, ","), studies, terminal.Minute(t.Expires), terminal.Day(t.Revoked)}
}

type tokenRevokeCmd struct {
	dataFlags
	ID string `arg:"" name:"token" help:"Token, as 'token list' names it."`
}

func (tokenRevokeCmd) Help() string { return "Example:\n  collimator token revoke 3f9a01c2d4" }

func (c *tokenRevokeCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.RevokeToken(e.ctx, c.ID); err != nil {
			return err
		}
		return e.say("Token %s is revoked.\n", c.ID)
	})
}
