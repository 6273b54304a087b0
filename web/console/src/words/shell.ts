import { words } from './words';

export const shell = words({
  en: {
    skip: 'Skip to the content',
    areas: 'Areas',
    language: 'Language',
    light: 'Light colours', dark: 'Dark colours',
    account: 'Your account', about: 'About', signOut: 'Sign out',
    notDevice: 'Not a medical device. Not for diagnostic use.',
    notHere: 'There is no such page', notHereMore: 'The address may be old.', toStart: 'Go to the start',
    broken: 'This page has stopped', brokenMore: 'Load it again. If it stops again, tell an administrator what you did.', loadAgain: 'Load again',
    aboutMore: 'Collimator keeps medical images safe. It is not a medical device and not for diagnostic use.',
    notices: 'Licences of what is in the console', viewerNotices: 'Licences of what is in the viewer',
    close: 'Close',
    signedIn: (name: string) => `Signed in as ${name}`,
  },
  de: {
    skip: 'Zum Inhalt springen',
    areas: 'Bereiche',
    language: 'Sprache',
    light: 'Helle Farben', dark: 'Dunkle Farben',
    account: 'Ihr Konto', about: 'Über dieses Programm', signOut: 'Abmelden',
    notDevice: 'Kein Medizinprodukt. Nicht zur Befundung.',
    notHere: 'Diese Seite gibt es nicht', notHereMore: 'Vielleicht ist die Adresse alt.', toStart: 'Zur Startseite',
    broken: 'Diese Seite ist stehen geblieben', brokenMore: 'Laden Sie sie neu. Bleibt sie wieder stehen, sagen Sie der Verwaltung, was Sie getan haben.', loadAgain: 'Neu laden',
    aboutMore: 'Collimator schützt medizinische Bilder. Es ist kein Medizinprodukt und nicht zur Befundung.',
    notices: 'Lizenzen der Teile der Konsole', viewerNotices: 'Lizenzen der Teile des Betrachters',
    close: 'Schließen',
    signedIn: (name: string) => `Angemeldet als ${name}`,
  },
});
