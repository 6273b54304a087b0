package console

// words are the texts of the pages in one language.
type words struct {
	Lang, Title, Open, Password, Failed, Busy, Ended, EndedMore, Date, More, NotDiagnostic, Empty string

	Account, LinkEnded, LinkEndedMore, NewPassword, Name, Again, Differ, SetPassword, Factor, FactorMore, Key, Code, Confirm, Codes, CodesMore,
	SignIn, OldPassword, Recovery, SignedIn, SignedInPage, NoConsole, ToConsole, Leave, Next, Link, AtProvider, OrPassword, ToProvider, NotBuilt, NotBuiltMore, NotForYou string

	Other, OtherTag, UsePasskey, MakePasskey, PasskeyMore, PasskeyName, PasskeyFailed, OrPasskey, CopyCodes, CopiedCodes, PrintCodes string
}

var (
	english = words{
		Lang: "en", Title: "A study for you", Open: "Open the study", Password: "Password, if you were told one",
		Failed: "That did not work: the link has ended, or the password is another one. Ask the person who sent it.",
		Busy:   "Too many attempts. Try again in a minute.", Ended: "Nothing is open here",
		EndedMore: "Open the link again. If it has ended, ask the person who sent it for another one.",
		Date:      "Date", More: "more images are not shown here", NotDiagnostic: "Not for diagnostic use.", Empty: "There is nothing to see in this study.",
		Account: "Your account", LinkEnded: "This link does not count", LinkEndedMore: "It was used, has ended or was replaced. Ask an administrator for another one.",
		NewPassword: "New password, 12 characters or more", Name: "Name", Again: "The same again", Differ: "The two passwords differ.", SetPassword: "Set the password",
		Factor: "Set up an authenticator app", FactorMore: "Take the picture with the app, or type the key, and enter the six digits it shows.", Key: "Key", Code: "Code", Confirm: "Confirm",
		Codes: "Keep these codes", CodesMore: "Each of them signs you in once without the app. They are shown only now: print them or write them down.",
		SignIn: "Sign in", OldPassword: "Password", Recovery: "Use a recovery code", SignedIn: "You are signed in as", SignedInPage: "You are signed in", Leave: "Sign out", Next: "Go on", Link: "The part of the link after #",
		AtProvider: "Sign in with your organisation's account", OrPassword: "Or with a password of this archive:", ToProvider: "On to your organisation's page",
		NotBuilt: "These pages are not there", NotBuiltMore: "This program was built without them. Where the sources are, this builds them in:",
		NotForYou: "You may not see this",
		NoConsole: "This program was built without the console. DICOMweb and the JSON API take this browser's session.",
		ToConsole: "Open the console",
		Other:     "Deutsch", OtherTag: "de",
		UsePasskey: "Sign in with a passkey", MakePasskey: "Set up a passkey", OrPasskey: "Or with a passkey",
		PasskeyMore: "This device or a security key signs you in, and nobody can trick it out of you.", PasskeyName: "This browser",
		PasskeyFailed: "That did not work. Try again, or take another way.",
		CopyCodes:     "Copy", CopiedCodes: "Copied", PrintCodes: "Print",
	}
	german = words{
		Lang: "de", Title: "Eine Untersuchung für Sie", Open: "Untersuchung öffnen", Password: "Passwort, falls Ihnen eines gesagt wurde",
		Failed: "Das ging nicht: Der Link ist abgelaufen, oder das Passwort ist ein anderes. Fragen Sie, wer ihn geschickt hat.",
		Busy:   "Zu viele Versuche. Versuchen Sie es in einer Minute wieder.", Ended: "Hier ist nichts geöffnet",
		EndedMore: "Öffnen Sie den Link noch einmal. Ist er abgelaufen, bitten Sie um einen neuen.",
		Date:      "Datum", More: "weitere Bilder werden hier nicht gezeigt", NotDiagnostic: "Nicht zur Befundung.", Empty: "In dieser Untersuchung gibt es nichts zu sehen.",
		Account: "Ihr Konto", LinkEnded: "Dieser Link gilt nicht", LinkEndedMore: "Er wurde benutzt, ist abgelaufen oder ersetzt worden. Bitten Sie die Verwaltung um einen neuen.",
		NewPassword: "Neues Passwort, mindestens 12 Zeichen", Name: "Name", Again: "Noch einmal dasselbe", Differ: "Die beiden Passwörter sind verschieden.", SetPassword: "Passwort setzen",
		Factor: "Authenticator-App einrichten", FactorMore: "Nehmen Sie das Bild mit der App auf oder tippen Sie den Schlüssel ein, und geben Sie die sechs Ziffern ein, die sie zeigt.", Key: "Schlüssel", Code: "Code", Confirm: "Bestätigen",
		Codes: "Heben Sie diese Codes auf", CodesMore: "Jeder meldet Sie einmal ohne die App an. Sie werden nur jetzt gezeigt: Drucken Sie sie oder schreiben Sie sie ab.",
		SignIn: "Anmelden", OldPassword: "Passwort", Recovery: "Wiederherstellungscode benutzen", SignedIn: "Sie sind angemeldet als", SignedInPage: "Sie sind angemeldet", Leave: "Abmelden", Next: "Weiter", Link: "Der Teil des Links nach #",
		AtProvider: "Mit dem Konto Ihres Hauses anmelden", OrPassword: "Oder mit einem Passwort dieses Archivs:", ToProvider: "Weiter zur Seite Ihres Hauses",
		NotBuilt: "Diese Seiten gibt es hier nicht", NotBuiltMore: "Dieses Programm wurde ohne sie gebaut. Wo der Quelltext liegt, baut sie dies ein:",
		NotForYou: "Das dürfen Sie nicht sehen",
		NoConsole: "Dieses Programm wurde ohne die Konsole gebaut. DICOMweb und die JSON-API nehmen die Sitzung dieses Browsers an.",
		ToConsole: "Konsole öffnen",
		Other:     "English", OtherTag: "en",
		UsePasskey: "Mit einem Passkey anmelden", MakePasskey: "Einen Passkey einrichten", OrPasskey: "Oder mit einem Passkey",
		PasskeyMore: "Dieses Gerät oder ein Sicherheitsschlüssel meldet Sie an, und niemand kann ihn Ihnen ablisten.", PasskeyName: "Dieser Browser",
		PasskeyFailed: "Das ging nicht. Versuchen Sie es noch einmal, oder nehmen Sie einen anderen Weg.",
		CopyCodes:     "Kopieren", CopiedCodes: "Kopiert", PrintCodes: "Drucken",
	}
)
