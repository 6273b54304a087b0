package signin

import (
	"collimator/internal/identity"
	"collimator/internal/webapi"
)

// describe says what the routes do, for openapi.json.
func describe(a *webapi.API) {
	a.Describe(map[string]webapi.Doc{
		"GET /api/v1/session": webapi.Does("Say who is signed in, and what is next").Gives(sessionState{}),
		"DELETE /api/v1/session": webapi.Does("Sign out, and close a link that was opened").
			Gives(webapi.Location{}).GivesNothing(),
		"POST /api/v1/session/password": webapi.Does("Sign in with a password").
			Takes(nameAndPassword{}).Gives(sessionState{}),
		"POST /api/v1/session/totp": webapi.Does("Show a code of an authenticator app").
			Takes(shownCode{}).Gives(sessionState{}),
		"POST /api/v1/session/recovery": webapi.Does("Show a recovery code").
			Takes(shownCode{}).Gives(sessionState{}),
		"POST /api/v1/session/passkey/begin": webapi.Does("Give the options for navigator.credentials.get").
			Gives(webapi.Any{}),
		"POST /api/v1/session/passkey/finish": webapi.Does("Sign in with what the browser made of a passkey").
			Takes(webapi.Any{}).Gives(sessionState{}),
		"POST /api/v1/session/share": webapi.Does("Open a link to a study").
			Takes(linkAndPassword{}).Gives(sessionState{}),

		"POST /api/v1/session/oidc": webapi.Does("Begin to sign in at the identity provider").
			Gives(webapi.Location{}),
		"GET " + CallbackPath: webapi.Does("Come back from the identity provider").Gives(sessionState{}),
		"POST " + oidcLogout: webapi.Does("End the sessions of somebody who signed out at the identity provider").
			TakesForm(),

		"POST /api/v1/session/enrol/totp": webapi.Does("Give the secret for an authenticator app").
			Gives(identity.TOTPSecret{}),
		"POST /api/v1/session/enrol/totp/confirm": webapi.Does("Set up an authenticator app by a code it shows").
			Takes(shownCode{}).Gives(newFactor{}),
		"POST /api/v1/session/enrol/passkey/begin": webapi.Does("Give the options for navigator.credentials.create").
			Gives(webapi.Any{}),
		"POST /api/v1/session/enrol/passkey/finish": webapi.Does("Keep a passkey that the browser made").
			Takes(newPasskey{}).Gives(newFactor{}),

		"POST /api/v1/setup/look": webapi.Does("Say what a one-time link is for").
			Takes(oneTimeLink{}).Gives(identity.Link{}),
		"POST /api/v1/setup": webapi.Does("Set a password by a one-time link").
			Takes(linkUse{}).Gives(sessionState{}),

		"GET /api/v1/sessions": webapi.Does("List one's own sessions").Gives([]*identity.Session{}),
		"DELETE /api/v1/sessions": webapi.Does("Sign out everywhere, and end all that was made in a session").
			GivesNothing(),
		"DELETE /api/v1/sessions/{id}": webapi.Does("End one of one's sessions").GivesNothing(),
		"POST /api/v1/password":        webapi.Does("Change one's password").Takes(passwords{}).Gives(sessionState{}),
		"POST /api/v1/recovery-codes": webapi.Does("Make new recovery codes; the earlier ones end").
			Gives(recoveryCodes{}),
		"DELETE /api/v1/totp":          webapi.Does("Remove the authenticator app").GivesNothing(),
		"GET /api/v1/passkeys":         webapi.Does("List one's passkeys").Gives([]identity.PasskeyInfo{}),
		"DELETE /api/v1/passkeys/{id}": webapi.Does("Remove a passkey").GivesNothing(),
		"GET /api/v1/tokens":           webapi.Does("List one's tokens").Gives(webapi.List[*identity.AccessToken]{}),
		"POST /api/v1/tokens": webapi.Does("Make a token for a program").
			Takes(newToken{}).Gives(madeToken{}),
		"DELETE /api/v1/tokens/{id}": webapi.Does("Revoke a token").GivesNothing(),
	})
}
