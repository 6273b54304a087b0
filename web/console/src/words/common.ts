import { words } from './words';

// Texts of the primitives, and words that every page needs.
export const common = words({
  en: {
    loading: 'Loading', retry: 'Try again', failed: 'This could not be loaded', refresh: 'Load again',
    denied: 'Your role does not allow this', deniedMore: 'An administrator can give you another role.',
    offline: 'The server does not answer. Look at your connection and try again.',
    stale: 'What you see may be old: ',
    cancel: 'Cancel', close: 'Close', save: 'Save', more: 'Show more', copy: 'Copy', copied: 'Copied', none: 'None', yes: 'Yes', no: 'No',
    critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', info: 'Info',
    universal: (time: string) => `${time} UTC`,
    rows: (n: number) => n === 1 ? '1 row' : `${n} rows`,
    choose: 'Choose',
  },
  de: {
    loading: 'Wird geladen', retry: 'Noch einmal versuchen', failed: 'Das ließ sich nicht laden', refresh: 'Neu laden',
    denied: 'Ihre Rolle erlaubt das nicht', deniedMore: 'Die Verwaltung kann Ihnen eine andere Rolle geben.',
    offline: 'Der Server antwortet nicht. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
    stale: 'Was Sie sehen, kann alt sein: ',
    cancel: 'Abbrechen', close: 'Schließen', save: 'Speichern', more: 'Mehr zeigen', copy: 'Kopieren', copied: 'Kopiert', none: 'Keine', yes: 'Ja', no: 'Nein',
    critical: 'Kritisch', high: 'Hoch', medium: 'Mittel', low: 'Niedrig', info: 'Hinweis',
    universal: (time: string) => `${time} UTC`,
    rows: (n: number) => n === 1 ? '1 Zeile' : `${n} Zeilen`,
    choose: 'Wählen',
  },
});
