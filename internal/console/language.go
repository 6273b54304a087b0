package console

import (
	"net/http"
	"strings"
)

// languageCookie is the language that somebody chose on these pages or in the console, which reads it too:
// it says nothing that a script may not know.
const languageCookie = "__Host-language"

// languageLasts is how long it is kept, in seconds: a year.
const languageLasts = 365 * 24 * 3600

// language is the one that was chosen; else German where the browser names it first of the two, else English.
func language(r *http.Request) words {
	if list := r.CookiesNamed(languageCookie); len(list) > 0 {
		if t, ok := spoken(list[len(list)-1].Value); ok {
			return t
		}
	}

	for _, item := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(item), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if t, ok := spoken(base); ok {
			return t
		}
	}
	return english
}

func spoken(tag string) (words, bool) {
	switch tag {
	case german.Lang:
		return german, true
	case english.Lang:
		return english, true
	}
	return words{}, false
}

// choose has the browser keep a language, and gives the request as it would be with it.
func choose(w http.ResponseWriter, r *http.Request, tag string) *http.Request {
	t, ok := spoken(tag)
	if !ok {
		return r
	}
	c := &http.Cookie{Name: languageCookie, Value: t.Lang, Path: "/", Secure: true, SameSite: http.SameSiteLaxMode, MaxAge: languageLasts}
	http.SetCookie(w, c)
	r = r.Clone(r.Context())
	r.AddCookie(c)
	return r
}

// chosen takes the language of a link, and leads back to what is next for this browser.
func chosen(w http.ResponseWriter, r *http.Request) {
	choose(w, r, r.PathValue("tag"))
	http.Redirect(w, r, SetupPath+"/", http.StatusSeeOther)
}

// switches are the pages that offer the other language: not that of the recovery codes, which are shown once.
func switches(name string) bool {
	switch name {
	case "setup.html", "enrol.html", "signin.html", "account.html", "linkended.html":
		return true
	}
	return false
}
