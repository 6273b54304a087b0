package alarm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/smtp"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"collimator/internal/fault"
)

// TokenClient is who asks an authorisation server for a token, as a program and
// not for a person (RFC 6749 4.4).
type TokenClient struct {
	URL    string // of the token endpoint
	ID     string
	Secret string
	Scopes []string
}

// Tokens gives tokens to send mail with. Safe for concurrent use.
type Tokens struct {
	config clientcredentials.Config
	http   *http.Client
	turn   chan struct{} // held by who looks at kept, or fetches
	kept   *oauth2.Token
}

// NewTokens makes the tokens of a client; the server is asked for the first when it
// is needed, in the way of a client of HTTP.
func NewTokens(c TokenClient, way *http.Client) *Tokens {
	client := *way
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the secret goes to nobody else
	}

	return &Tokens{
		config: clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: c.URL, Scopes: c.Scopes},
		http:   &client,
		turn:   make(chan struct{}, 1),
	}
}

// Get gives a token that is valid now, and whether it was fetched for this call:
// it is kept until it ends or is dropped. An error of kind Denied says that the
// server gives this client none, one of kind Unavailable that it gave none now.
func (t *Tokens) Get(ctx context.Context) (token string, fresh bool, err error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", false, fault.New(fault.Unavailable, "alarm: no token for mail: another mail waits for one still")
	}
	if t.kept.Valid() {
		return t.kept.AccessToken, false, nil
	}

	fetched, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.http))
	if err != nil {
		return "", false, noToken(err)
	}
	t.kept = fetched
	return fetched.AccessToken, true, nil
}

// Drop forgets a token that somebody does not take: the next Get fetches another.
func (t *Tokens) Drop(ctx context.Context, token string) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return
	}
	if t.kept != nil && t.kept.AccessToken == token {
		t.kept = nil
	}
}

// refusalMost is how many bytes are told of the reason that a server gives.
const refusalMost = 64

// noToken says why there is no token: the server refuses this client, or it does
// not work at the moment.
func noToken(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return unreached("no token for mail: alarms.mail.oauth.token_url", "alarms.mail.oauth", err)
	}

	status := refused.Response.StatusCode
	reason := line(refused.ErrorCode)
	reason = strings.ToValidUTF8(reason[:min(len(reason), refusalMost)], "")
	said := strings.TrimSpace(fmt.Sprintf("%d %s %s", status, http.StatusText(status), reason))

	switch {
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return fault.Newf(fault.Unavailable,
			"alarm: no token for mail now: alarms.mail.oauth.token_url answers %s; it is tried again", said)
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return fault.Newf(fault.Unavailable, "alarm: no token for mail: alarms.mail.oauth.token_url leads elsewhere (%s), "+
			"and the secret is sent to no other address; name the one that answers", said)
	}
	return fault.Newf(fault.Denied, "alarm: no token for mail: the server refuses this client: %s; "+
		"look at client_id, client_secret_file and scopes of alarms.mail.oauth", said)
}

// tokenAuth is the mechanism XOAUTH2 of mail services: user and token at once. A
// server that refuses says why in a challenge, which is answered with nothing.
type tokenAuth struct{ user, token string }

// Start implements smtp.Auth.
func (a *tokenAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("alarm: no token without TLS")
	}
	return "XOAUTH2", []byte("user=" + a.user + "\x01auth=Bearer " + a.token + "\x01\x01"), nil
}

// Next implements smtp.Auth.
func (a *tokenAuth) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return []byte{}, nil
	}
	return nil, nil
}
