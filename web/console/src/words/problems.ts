import type { Problem } from '../api/problem';
import { useWords } from '../language';
import { words } from './words';

// Why something was refused, by its code (docs/api.md). What has no sentence here is said as the server says it,
// in English, and in German by what is true of every refusal.
const reasons = words<Record<string, string> & { other: string }>({
  en: {
    offline: 'The server does not answer. Look at your connection and try again.',
    busy: 'Much is going on at the moment. Try again in a few seconds.',
    other: '',
  },
  de: {
    offline: 'Der Server antwortet nicht. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
    busy: 'Gerade ist viel zu tun. Versuchen Sie es in einigen Sekunden noch einmal.',
    unavailable: 'Das geht im Augenblick nicht. Versuchen Sie es später noch einmal.',
    denied: 'Das dürfen Sie nicht.',
    'not-found': 'Das gibt es nicht mehr.',
    conflict: 'Das widerspricht dem, was schon da ist.',
    invalid: 'Eine Angabe ist ungültig.',
    'too-large': 'Das ist zu groß.',
    unsupported: 'Das kann dieser Server nicht.',
    credentials: 'Die Anmeldedaten gelten nicht.',
    code: 'Der Code gilt nicht. Jeder gilt nur einmal, und die Uhr des Geräts muss richtig gehen.',
    'second-factor-again': 'Dafür muss der zweite Faktor noch einmal gezeigt werden.',
    'too-many-attempts': 'Zu viele Versuche galten nicht. Versuchen Sie es später noch einmal.',
    'name-missing': 'Ein Name von 1 bis 128 Bytes wird gebraucht.',
    'name-taken': 'Eine Person dieses Namens gibt es schon.',
    'person-disabled': 'Die Person dieses Namens ist gesperrt.',
    'password-short': 'Das Passwort ist zu kurz: Es braucht mindestens 12 Zeichen.',
    'password-long': 'Das Passwort ist zu lang: Es darf höchstens 1024 Bytes haben.',
    other: 'Das ging nicht. Bitten Sie die Verwaltung, im Protokoll des Servers nachzusehen.',
  },
});

export function useReason(problem: Problem | undefined): string {
  const t = useWords(reasons);
  if (!problem) return '';
  return t[problem.code] ?? (t.other || problem.detail);
}
