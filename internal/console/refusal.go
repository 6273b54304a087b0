package console

// refusal is why the API refuses, in the language of the page. The API says it in
// English; what it tells apart by a code is said here once more in German, and a
// code without a sentence of its own is said by what is true of every refusal.
// Nothing refused is the empty text.
func (t words) refusal(code, detail string) string {
	if detail == "" || t.Lang == english.Lang {
		return detail
	}
	if text, ok := germanRefusals[code]; ok {
		return text
	}
	return germanRefused
}

const germanRefused = "Das ging nicht. Bitten Sie die Verwaltung, im Protokoll des Servers nachzusehen."

// germanRefusals are by the codes of docs/api.md.
var germanRefusals = map[string]string{
	"credentials":         "Die Anmeldedaten gelten nicht.",
	"code":                "Der Code gilt nicht. Jeder gilt nur einmal, und die Uhr des Geräts muss richtig gehen.",
	"link":                "Der Link gilt nicht: Er wurde benutzt, ist abgelaufen oder ersetzt worden. Bitten Sie um einen neuen.",
	"second-factor":       "Der zweite Faktor fehlt noch.",
	"second-factor-again": "Dafür muss der zweite Faktor vor höchstens fünf Minuten gezeigt worden sein. Zeigen Sie ihn noch einmal.",
	"session-over":        "Die Sitzung ist zu Ende. Melden Sie sich noch einmal an.",
	"door-code":           "Der Code gilt nicht: Er ist für jemand anderen oder eine andere Tür, wurde schon gezeigt, oder seine Zeit ist um.",
	"page-role":           "Ihre Rolle darf die Seiten dieser Route nicht sehen.",
	"door-over":           "Diese Sitzung hat keine Wartungstür, oder sie ist zu.",
	"upgrade":             "Diese Adresse ist für 'collimator connect'.",
	"no-app-begun":        "Es wird keine Authenticator-App eingerichtet. Beginnen Sie noch einmal.",
	"too-many-attempts":   "Zu viele Versuche galten nicht. Versuchen Sie es später noch einmal.",
	"share-password":      "Dieser Link hat ein Passwort, und das war es nicht.",

	"name-missing":         "Ein Name von 1 bis 128 Bytes wird gebraucht.",
	"name-taken":           "Eine Person dieses Namens gibt es schon.",
	"person-disabled":      "Die Person dieses Namens ist gesperrt. Bitten Sie die Verwaltung, sie wieder zuzulassen.",
	"password-short":       "Das Passwort ist zu kurz: Es braucht mindestens 12 Zeichen.",
	"password-long":        "Das Passwort ist zu lang: Es darf höchstens 1024 Bytes haben.",
	"administrator-exists": "Es gibt schon jemanden, der dieses Archiv verwaltet.",
	"no-administrator":     "Dieses Archiv wird noch von niemandem verwaltet. Der Link dafür steht dort, wo der Server gestartet wurde.",

	"no-provider":           "An diesem Server ist kein Anmeldedienst eingerichtet.",
	"provider-only":         "Hier meldet man sich nur mit dem Konto des Hauses an.",
	"provider-asked":        "Der Anmeldedienst wird gerade gefragt. Versuchen Sie es in einigen Sekunden noch einmal.",
	"provider-away":         "Der Anmeldedienst antwortet nicht, wie er soll. Versuchen Sie es in einigen Minuten noch einmal, und sagen Sie es der Verwaltung, wenn es so bleibt.",
	"provider-answer":       "Die Antwort des Anmeldedienstes gilt nicht. Beginnen Sie noch einmal.",
	"provider-cancelled":    "Sie haben beim Anmeldedienst abgebrochen; niemand wurde angemeldet.",
	"provider-refused":      "Der Anmeldedienst hat Sie nicht angemeldet.",
	"provider-clock":        "Die Antwort des Anmeldedienstes ist zu alt oder aus der Zukunft: Seine Uhr und die des Archivs gehen verschieden. Sagen Sie es der Verwaltung.",
	"provider-factor":       "Der Anmeldedienst hat Sie nicht nach dem zweiten Faktor gefragt, den dieses Archiv verlangt. Richten Sie dort einen ein und melden Sie sich noch einmal an.",
	"provider-claim":        "Der Anmeldedienst sagt nicht so, wer Sie sind, wie dieses Archiv es erwartet. Sagen Sie es der Verwaltung.",
	"provider-no-role":      "Der Anmeldedienst gibt Ihnen in diesem Archiv keine Rolle. Fragen Sie die Verwaltung.",
	"provider-unregistered": "Der Anmeldedienst kennt Sie, dieses Archiv aber nicht. Fragen Sie die Verwaltung.",

	"host-unknown": "Der Server kennt sich unter diesem Namen nicht. Bitten Sie die Verwaltung, ihn in 'hosts' oder 'signin.origins' einzutragen.",
	"cross-origin": "Das darf eine Seite anderer Herkunft nicht tun. Öffnen Sie die Seite dieses Archivs selbst.",

	"busy":        "Gerade ist viel zu tun. Versuchen Sie es in einigen Sekunden noch einmal.",
	"unavailable": "Das geht im Augenblick nicht. Versuchen Sie es später noch einmal, und sagen Sie es der Verwaltung, wenn es so bleibt.",
	"denied":      "Das dürfen Sie nicht.",
	"not-found":   "Das gibt es nicht.",
	"conflict":    "Das widerspricht dem, was schon da ist.",
	"invalid":     "Eine Angabe ist ungültig.",
	"too-large":   "Das ist zu groß.",
	"unsupported": "Das kann dieser Server nicht.",
	"canceled":    "Das wurde abgebrochen.",
	"internal":    germanRefused,
}
