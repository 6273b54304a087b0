package console

import (
	"net/http"
	"net/url"
	"regexp"
)

// A link to a study and a one-time link carry their secret in the fragment of
// the address, which browsers keep to themselves: no proxy and no server writes
// it down (RFC 9110 4.2.5). A script puts it into the form of the page and takes
// it out of the address and with that out of the history. Without the script the
// person copies it into the same form.

// openPage is the page below SharePath and SetupPath to which links lead.
const openPage = "/open"

// ShareAddress is what stands before the secret of a link to a study, below an
// origin such as https://pacs.example:8443.
func ShareAddress(origin string) string { return origin + SharePath + openPage + "#" }

// SetupAddress is what stands before the secret of a one-time link.
func SetupAddress(origin string) string { return origin + SetupPath + openPage + "#" }

// secretForm is what the secret of a link looks like.
var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{32,}$`)

// kept is the secret that a form goes on with, so that it need not be given again.
// A malformed one is not shown again.
func kept(secret string) string {
	if !secretForm.MatchString(secret) {
		return ""
	}

	return secret
}

// linkMost bounds the secret of a link in a form, in bytes.
const linkMost = 256

// fragmentScript takes the secret from the address into the form.
func fragmentScript(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pages, "pages/link.js")
}

// setupScript adds passkeys to the pages to sign in, and takes the recovery codes along.
func setupScript(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, pages, "pages/setup.js")
}

// moved leads an address of the old kind, with the secret in its path, to the
// page of the new kind.
func moved(address func(origin string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, address("")+url.QueryEscape(r.PathValue("secret")), http.StatusSeeOther)
	}
}
