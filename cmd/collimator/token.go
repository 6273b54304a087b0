package main

import (
	"fmt"
	"strings"
	"time"

	"collimator/dicom/uid"
	"collimator/internal/audit"
	"collimator/internal/fault"
	"collimator/internal/house"
	"collimator/internal/identity"
	"collimator/internal/policy"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a bearer token; it is printed once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token now."`
}

type tokenCreateCmd struct {
	dataFlags
	User    string   `required:"" help:"Person it belongs to; it never reaches further than this person." placeholder:"NAME"`
	Scope   string   `help:"read, write (read and store), metrics (numbers for monitoring) or admin (all its owner may)." enum:"read,write,metrics,admin" default:"read"`
	Study   []string `help:"The only studies it reaches." placeholder:"UID"`
	Expires lifetime `help:"How long it is valid, at most 366d." default:"24h"`
}

func (tokenCreateCmd) Help() string {
	return `Example:
  TOKEN=$(collimator token create --user grace --scope read --expires 8h)
  curl --cacert data/keys/ca.cert.pem -H "Authorization: Bearer $TOKEN" https://127.0.0.1:8443/dicom-web/studies`
}

func (c *tokenCreateCmd) Run(e *env) error {
	for _, s := range c.Study {
		if !uid.Tolerable(s) {
			return usageError("--study: %q is no UID", s)
		}
	}
	verbs, _ := policy.Scope(c.Scope)
	return c.with(e, func(in *house.Installation) error {
		t, secret, err := in.Registry.OperatorToken(e.ctx, c.User, verbs, c.Study, time.Duration(c.Expires))
		if fault.Of(err) == fault.Invalid {
			return usageError("--expires: %w", err)
		}
		if err != nil {
			return err
		}
		if err := in.Record(e.ctx, audit.Record{Event: audit.PersonChanged, Action: audit.Create, Objects: []audit.Object{{Person: c.User, Detail: "token " + t.ID + " " + c.Scope}}}); err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "Token %s of %s, valid until %s. It is shown only now:\n", t.ID, t.Owner, minute(t.Expires))
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
		return printList(e.stdout, c.Output, list, "TOKEN|OWNER|ALLOW|STUDIES|UNTIL|REVOKED", tokenRow, "There is no token. Make one with 'collimator token create --user NAME'.")
	})
}

func tokenRow(t *identity.AccessToken) []string {
	words := make([]string, len(t.Verbs))
	for i, v := range t.Verbs {
		words[i] = string(v)
	}
	studies := "all of its owner's"
	if n := len(t.Studies); n > 0 {
		studies = fmt.Sprint(n)
	}
	return []string{t.ID, t.Owner, strings.Join(words, ","), studies, minute(t.Expires), day(t.Revoked)}
}

type tokenRevokeCmd struct {
	dataFlags
	ID string `arg:"" name:"token" help:"Token, as 'token list' names it."`
}

func (tokenRevokeCmd) Help() string { return "Example:\n  collimator token revoke 3f9a01c2d4" }

func (c *tokenRevokeCmd) Run(e *env) error {
	return c.with(e, func(in *house.Installation) error {
		if err := in.Registry.RevokeToken(e.ctx, c.ID); err != nil {
			return err
		}
		if err := in.Record(e.ctx, audit.Record{Event: audit.PersonChanged, Action: audit.Delete, Objects: []audit.Object{{Detail: "token " + c.ID + " revoked"}}}); err != nil {
			return err
		}
		_, err := fmt.Fprintf(e.stdout, "Token %s is revoked.\n", c.ID)
		return err
	})
}
