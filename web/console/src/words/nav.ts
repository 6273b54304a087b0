import { words } from './words';

// The names of the pages, one line a page.
export const nav = words({
  en: {
    start: 'Start',
    first: 'First steps',
    devices: 'Devices',
    issues: 'Issues',
    audit: 'Audit log',
    people: 'People',
    account: 'Your account',
  },
  de: {
    start: 'Start',
    first: 'Erste Schritte',
    devices: 'Geräte',
    issues: 'Schwachstellen',
    audit: 'Prüfprotokoll',
    people: 'Personen',
    account: 'Ihr Konto',
  },
});
