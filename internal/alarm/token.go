package alarm

import (
	"context"
	"errors"
	"net/http"
	"net/smtp"

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
	HTTP   *http.Client
}

// ClientToken returns a function that gives a token which is valid now: it is
// fetched when the one before ends. Safe for concurrent use. An error of kind
// Denied says that the server gives this client none, one of kind Unavailable
// that it did not answer.
func ClientToken(c TokenClient) func(ctx context.Context) (string, error) {
	if c.HTTP != nil { // the secret goes to nobody else
		client := *c.HTTP
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		c.HTTP = &client
	}
	config := clientcredentials.Config{ClientID: c.ID, ClientSecret: c.Secret, TokenURL: c.URL, Scopes: c.Scopes}
	source := config.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, c.HTTP)) // which keeps a token while it is valid

	return func(context.Context) (string, error) {
		token, err := source.Token()
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
			return "", fault.Newf(fault.Denied, "alarm: no token for mail: %s (alarms.mail.oauth)", line(refused.ErrorCode+" "+http.StatusText(refused.Response.StatusCode)))
		}
		if err != nil {
			return "", fault.Wrap(fault.Unavailable, err, "alarm: no token for mail: alarms.mail.oauth.token_url does not answer as it should")
		}
		return token.AccessToken, nil
	}
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
