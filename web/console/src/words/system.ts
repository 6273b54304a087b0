import { words } from './words';

export const system = words({
  en: {
    title: 'Server', states: 'States', settings: 'Settings',
    allWell: 'All parts are well', notWell: (n: number, of: number) => n === 1 ? `1 of ${of} parts needs somebody` : `${n} of ${of} parts need somebody`,
    level: 'State', part: 'Part', act: 'What to do', since: 'Since', levels: { unknown: 'Not looked at yet', well: 'Well', degraded: 'Degraded', failing: 'Failing' },
    file: 'From the file', noFile: 'There is no file of settings: all values are standard or were given when the server was started.', changedThere: 'Settings are changed in the file on the server. Who may sign in here cannot change them.',
    search: 'Part of the name', onlySet: 'Only what the file sets', setting: 'Setting', value: 'Value in force', from: 'From', standard: 'standard or start', line: (n: number) => `line ${n}`, nothing: 'nothing', noSetting: 'No setting is like that',
  },
  de: {
    title: 'Server', states: 'Zustände', settings: 'Einstellungen',
    allWell: 'Alle Teile arbeiten gut', notWell: (n: number, of: number) => n === 1 ? `1 von ${of} Teilen braucht jemanden` : `${n} von ${of} Teilen brauchen jemanden`,
    level: 'Zustand', part: 'Teil', act: 'Was zu tun ist', since: 'Seit', levels: { unknown: 'Noch nicht angesehen', well: 'Gut', degraded: 'Eingeschränkt', failing: 'Gestört' },
    file: 'Aus der Datei', noFile: 'Es gibt keine Datei mit Einstellungen: Alle Werte sind Standard oder wurden beim Start angegeben.', changedThere: 'Einstellungen werden in der Datei auf dem Server geändert. Wer sich hier anmelden darf, kann sie nicht ändern.',
    search: 'Teil des Namens', onlySet: 'Nur was die Datei setzt', setting: 'Einstellung', value: 'Geltender Wert', from: 'Von', standard: 'Standard oder Start', line: (n: number) => `Zeile ${n}`, nothing: 'nichts', noSetting: 'Keine Einstellung heißt so',
  },
});
