import { words } from './words';

export const shares = words({
  en: {
    title: 'Links to studies', more: 'Who has such a link sees one study in a browser, without an account.',
    none: 'There is no link', noneMore: 'Open a study and choose to share it: its link appears here until you revoke it.',
    study: 'Study', owner: 'Made by', made: 'Made', until: 'Counts until', used: 'Last opened', never: 'never', state: 'State', protection: 'With',
    counts: 'counts', revokedState: 'revoked', over: 'over', password: 'password', plain: 'without a password', deidentified: 'without identity',
    onlyCounting: 'Only those that count',
    revoke: 'Revoke', revoked: 'The link counts no more.', accesses: 'Who opened it', accessesOf: (id: string) => `What was done with link ${id}`,
    noAccesses: 'Nobody has opened it', noAccessesMore: 'Each use of the link appears here.',
    makeFor: 'Share a study', make: 'Make the link', days: 'It counts for', day: (n: number) => n === 1 ? '1 day' : `${n} days`,
    withPassword: 'With a password, which you tell on another way', withoutIdentity: 'Under a pseudonym, and without images that are likely to show the person',
    passwordMore: 'Tell the password on another way than the link: by telephone.',
    subject: 'Images to look at',
    mail: (link: string, until: string, password: boolean) => `Dear colleague,

images are ready for you to look at. Open this link in a browser; no account is needed:

${link}

It counts until ${until}.${password ? ' You are told the password on another way.' : ''}
The page is not a medical device and not for diagnostic use; the files can be downloaded there.`,
  },
  de: {
    title: 'Links zu Studien', more: 'Wer einen solchen Link hat, sieht eine Studie im Browser, ohne Konto.',
    none: 'Es gibt keinen Link', noneMore: 'Öffnen Sie eine Studie und teilen Sie sie: Ihr Link erscheint hier, bis Sie ihn widerrufen.',
    study: 'Studie', owner: 'Gemacht von', made: 'Gemacht', until: 'Gilt bis', used: 'Zuletzt geöffnet', never: 'nie', state: 'Stand', protection: 'Mit',
    counts: 'gilt', revokedState: 'widerrufen', over: 'abgelaufen', password: 'Passwort', plain: 'ohne Passwort', deidentified: 'ohne Identität',
    onlyCounting: 'Nur die, die gelten',
    revoke: 'Widerrufen', revoked: 'Der Link gilt nicht mehr.', accesses: 'Wer ihn öffnete', accessesOf: (id: string) => `Was mit dem Link ${id} getan wurde`,
    noAccesses: 'Niemand hat ihn geöffnet', noAccessesMore: 'Jede Benutzung des Links erscheint hier.',
    makeFor: 'Studie teilen', make: 'Link machen', days: 'Er gilt', day: (n: number) => n === 1 ? '1 Tag' : `${n} Tage`,
    withPassword: 'Mit einem Passwort, das Sie auf anderem Weg mitteilen', withoutIdentity: 'Unter einem Pseudonym und ohne Bilder, die die Person vermutlich erkennen lassen',
    passwordMore: 'Teilen Sie das Passwort auf einem anderen Weg mit als den Link: am Telefon.',
    subject: 'Bilder zur Ansicht',
    mail: (link: string, until: string, password: boolean) => `Guten Tag,

für Sie liegen Bilder zur Ansicht bereit. Öffnen Sie diesen Link in einem Browser; ein Konto brauchen Sie nicht:

${link}

Er gilt bis ${until}.${password ? ' Das Passwort erfahren Sie auf anderem Weg.' : ''}
Die Seite ist kein Medizinprodukt und dient nicht der Befundung; die Dateien lassen sich dort herunterladen.`,
  },
});
