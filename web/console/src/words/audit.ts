import { words } from './words';

export const audit = words({
  en: {
    title: 'Audit log', more: 'Who did what, oldest first. Nothing is ever taken out of it.',
    failed: 'Only what was refused or failed', time: 'Time', event: 'Event', who: 'Who', from: 'From', outcome: 'Outcome', about: 'About',
    ok: 'done', bad: 'refused or failed',
    none: 'Nothing matches', noneMore: 'Everything that is read, stored, changed or refused appears here. With this filter there is nothing.',
  },
  de: {
    title: 'Prüfprotokoll', more: 'Wer was getan hat, das Älteste zuerst. Nichts wird je herausgenommen.',
    failed: 'Nur was verweigert wurde oder fehlschlug', time: 'Zeit', event: 'Ereignis', who: 'Wer', from: 'Von', outcome: 'Ausgang', about: 'Worum',
    ok: 'getan', bad: 'verweigert oder fehlgeschlagen',
    none: 'Dazu steht nichts da', noneMore: 'Alles, was gelesen, gespeichert, geändert oder verweigert wird, erscheint hier. Mit diesem Filter gibt es nichts.',
  },
});
