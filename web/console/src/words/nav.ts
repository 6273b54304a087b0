import { words } from './words';

// The names of the pages, one line a page.
export const nav = words({
  en: {
    start: 'Start',
    first: 'First steps',
    devices: 'Devices',
    surface: 'Attack surface',
    systems: 'Systems',
    system: 'System',
    scans: 'Scans',
    changes: 'Changes',
    advisories: 'Advisories',
    report: 'Report',
    audit: 'Audit log',
    people: 'People',
    server: 'Server',
    account: 'Your account',
  },
  de: {
    start: 'Start',
    first: 'Erste Schritte',
    devices: 'Geräte',
    surface: 'Angriffsfläche',
    systems: 'Systeme',
    system: 'System',
    scans: 'Scans',
    changes: 'Änderungen',
    advisories: 'Sicherheitshinweise',
    report: 'Bericht',
    audit: 'Prüfprotokoll',
    people: 'Personen',
    server: 'Server',
    account: 'Ihr Konto',
  },
});
