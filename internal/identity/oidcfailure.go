package identity

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"collimator/internal/fault"
	"collimator/internal/outward"
)

// OIDCFailure is why nobody was signed in by the identity provider. What may be
// shown to the browser is its fault.Text; the rest is for the log and the record
// and holds no token, no code and no secret.
type OIDCFailure struct {
	// Reason says it in fixed words.
	Reason string
	// Person is a name: of a person here where Known, else as the provider says it.
	Person string
	Known  bool
	// Subject is whom the provider means; empty where it had not said so yet.
	Subject string

	shown error // of package fault
	cause error // may be nil
}

// Error is the reason with its cause.
func (f *OIDCFailure) Error() string {
	text := "identity: " + f.Reason
	if f.cause != nil {
		text += ": " + shortened(f.cause)
	}
	return text
}

// Unwrap gives what may be shown.
func (f *OIDCFailure) Unwrap() error { return f.shown }

// shortened is the text of an error of another library, without the documents
// that some of them quote.
func shortened(err error) string {
	if reason := outward.Reason(err); reason != "" {
		return reason
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "..."
	}
	return text
}

// The reasons.
const (
	reasonAway      = "the identity provider is not reached"
	reasonState     = "the answer was not begun here, or more than five minutes ago"
	reasonReplay    = "the answer was used before"
	reasonBrowser   = "the answer came in another browser than the one that asked"
	reasonIssuer    = "the answer comes from another identity provider"
	reasonCode      = "the answer holds no code"
	reasonCancelled = "cancelled at the identity provider"
	reasonRefused   = "the identity provider refused"
	reasonClient    = "the identity provider does not take this archive's client ID or secret"
	reasonGrant     = "the identity provider does not take the code"
	reasonNoToken   = "the identity provider sent no identity token"
	reasonToken     = "the identity token does not count"
	reasonNonce     = "the identity token is for another sign-in"
	reasonExpired   = "the identity token has expired; compare the clocks"
	reasonEarly     = "the identity token is of the future; compare the clocks"
	reasonUserInfo  = "the UserInfo endpoint does not answer as it should"
	reasonSubject   = "the UserInfo endpoint speaks of another person"
	reasonACR       = "the identity provider did not demand what signin.oidc.require_acr wants"
	reasonAMR       = "the identity provider did not demand what signin.oidc.require_amr wants"
	reasonLogout    = "the logout token does not count"
	reasonClaim     = "the claim is missing: "
	reasonRole      = "no entry of signin.oidc.roles fits"
	reasonUnknown   = "not registered here"
	reasonDisabled  = "disabled here"
	reasonBound     = "the name is bound to another account at the identity provider"
)

// What a browser is told.
var (
	errOIDC          = fault.NewCode(fault.Denied, "provider-answer", "identity: the identity provider's answer does not count; begin again")
	errAway          = fault.NewCode(fault.Unavailable, "provider-away", "identity: the identity provider does not answer as it should; try again in a few minutes, and tell an administrator if it stays so")
	errCancelled     = fault.NewCode(fault.Denied, "provider-cancelled", "identity: you cancelled at the identity provider; nobody was signed in")
	errThere         = fault.NewCode(fault.Denied, "provider-refused", "identity: the identity provider did not sign you in")
	errClocks        = fault.NewCode(fault.Denied, "provider-clock", "identity: the identity provider's answer is too old or of the future: its clock and the archive's differ; tell an administrator")
	errFactor        = fault.NewCode(fault.Denied, "provider-factor", "identity: the identity provider did not ask you for the second factor that this archive demands; set one up there and sign in again")
	errClaim         = fault.NewCode(fault.Denied, "provider-claim", "identity: the identity provider does not say who you are in the way this archive is set up for; tell an administrator")
	errNoRole        = fault.NewCode(fault.Denied, "provider-no-role", "identity: the identity provider gives you no role in this archive; ask an administrator")
	errNotRegistered = fault.NewCode(fault.Denied, "provider-unregistered", "identity: the identity provider knows you and this archive does not; ask an administrator")
)

// errorCodes are those of RFC 6749 4.1.2.1 and of OpenID Connect Core 3.1.2.6.
// Others are not repeated: the browser brings them.
var errorCodes = []string{
	"invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable",
	"interaction_required", "login_required", "account_selection_required", "consent_required",
}

// refused is the failure of an answer that is an error.
func (o *OIDC) refused(code string) error {
	f := &OIDCFailure{Reason: reasonRefused, shown: errThere}
	switch {
	case code == "access_denied":
		f.Reason = reasonCancelled
		f.shown = errCancelled
	case slices.Contains(errorCodes, code):
		f.Reason += " with " + code
	}

	if code == "server_error" || code == "temporarily_unavailable" {
		f.shown = errAway
	}
	return f
}

// notExchanged tells a code that is not taken from an outage, and from settings
// that do not fit the provider's.
func (o *OIDC) notExchanged(err error) error {
	refusal, answered := errors.AsType[*oauth2.RetrieveError](err)
	f := &OIDCFailure{Reason: reasonAway, shown: errAway, cause: err}
	switch {
	case !answered:
	case refusal.ErrorCode == "invalid_client" || refusal.ErrorCode == "unauthorized_client" ||
		refusal.Response.StatusCode == http.StatusUnauthorized:
		f.Reason = reasonClient
		f.cause = nil
	case refusal.Response.StatusCode < http.StatusInternalServerError && refusal.Response.StatusCode != http.StatusTooManyRequests:
		// A stranger can bring any code: that it is not taken says nothing of the provider.
		return &OIDCFailure{Reason: reasonGrant, shown: errOIDC, cause: errors.New("token endpoint: " + refusal.Response.Status)}
	default:
		f.cause = errors.New("token endpoint: " + refusal.Response.Status) // the body may hold anything
	}
	o.o.Health(f)
	return f
}
