import { words } from './words';

// What is shown once: links, passwords, keys, tokens.
export const once = words({
  en: {
    qr: 'QR code of the link', link: 'Link', password: 'Password', token: 'Token',
    now: 'This is shown now and never again.', done: 'I have it', saveFile: (name: string) => `Save ${name}`, saveAll: 'Save all as ZIP',
    until: 'It counts until', mail: 'Text for a mail', mailLanguage: 'Language of the mail', copyMail: 'Copy the text',
  },
  de: {
    qr: 'QR-Code des Links', link: 'Link', password: 'Passwort', token: 'Token',
    now: 'Das wird jetzt gezeigt und nie wieder.', done: 'Ich habe es', saveFile: (name: string) => `${name} speichern`, saveAll: 'Alles als ZIP speichern',
    until: 'Gilt bis', mail: 'Text für eine Mail', mailLanguage: 'Sprache der Mail', copyMail: 'Text kopieren',
  },
});
