package console

import (
	"net/http"
	"strings"
)

// words are the texts of the pages in one language.
type words struct {
	Lang, Title, Open, Password, Failed, Busy, Ended, EndedMore, Date, More, NotDiagnostic, Empty string
}

var (
	english = words{
		Lang: "en", Title: "A study for you", Open: "Open the study", Password: "Password, if you were told one",
		Failed: "That did not work: the link has ended, or the password is another one. Ask the person who sent it.",
		Busy:   "Too many attempts. Try again in a minute.", Ended: "Nothing is open here",
		EndedMore: "Open the link again. If it has ended, ask the person who sent it for another one.",
		Date:      "Date", More: "more images are not shown here", NotDiagnostic: "Not for diagnostic use.", Empty: "There is nothing to see in this study.",
	}
	german = words{
		Lang: "de", Title: "Eine Untersuchung für Sie", Open: "Untersuchung öffnen", Password: "Passwort, falls Ihnen eines gesagt wurde",
		Failed: "Das ging nicht: Der Link ist abgelaufen, oder das Passwort ist ein anderes. Fragen Sie, wer ihn geschickt hat.",
		Busy:   "Zu viele Versuche. Versuchen Sie es in einer Minute wieder.", Ended: "Hier ist nichts geöffnet",
		EndedMore: "Öffnen Sie den Link noch einmal. Ist er abgelaufen, bitten Sie um einen neuen.",
		Date:      "Datum", More: "weitere Bilder werden hier nicht gezeigt", NotDiagnostic: "Nicht zur Befundung.", Empty: "In dieser Untersuchung gibt es nichts zu sehen.",
	}
)

// language is German where the browser names it first of the two, else English.
func language(r *http.Request) words {
	for _, item := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(item), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		switch base {
		case "de":
			return german
		case "en":
			return english
		}
	}
	return english
}
