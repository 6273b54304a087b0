import { words } from './words';

// The dialogs about the session: a second factor again, and its end.
export const signin = words({
  en: {
    again: 'Show your second factor again',
    againMore: 'This needs a second factor that was shown within five minutes.',
    code: 'Code of your app', recovery: 'Recovery code', password: 'Password', way: 'With',
    totp: 'Authenticator app', passkey: 'Passkey', usePasskey: 'Use a passkey',
    oidc: 'Sign out and sign in with your organisation’s account, then repeat this.',
    wrong: 'That did not count. Try again.',
    go: 'Go on', cancel: 'Cancel',
    soon: 'You are about to be signed out',
    idle: (seconds: number) => `Nothing was done here for a while. What is shown is cleared in ${seconds} seconds.`,
    expires: (seconds: number) => `This session ends in ${seconds} seconds, whatever you do. Sign in again to go on.`,
    stay: 'Stay signed in', out: 'Sign out now',
  },
  de: {
    again: 'Zeigen Sie Ihren zweiten Faktor noch einmal',
    againMore: 'Dafür muss ein zweiter Faktor vor höchstens fünf Minuten gezeigt worden sein.',
    code: 'Code Ihrer App', recovery: 'Wiederherstellungscode', password: 'Passwort', way: 'Mit',
    totp: 'Authenticator-App', passkey: 'Passkey', usePasskey: 'Passkey benutzen',
    oidc: 'Melden Sie sich ab und mit dem Konto Ihres Hauses wieder an, und wiederholen Sie es dann.',
    wrong: 'Das galt nicht. Versuchen Sie es noch einmal.',
    go: 'Weiter', cancel: 'Abbrechen',
    soon: 'Sie werden gleich abgemeldet',
    idle: (seconds: number) => `Hier wurde eine Weile nichts getan. Was zu sehen ist, wird in ${seconds} Sekunden entfernt.`,
    expires: (seconds: number) => `Diese Sitzung endet in ${seconds} Sekunden, was Sie auch tun. Melden Sie sich neu an, um weiterzumachen.`,
    stay: 'Angemeldet bleiben', out: 'Jetzt abmelden',
  },
});
