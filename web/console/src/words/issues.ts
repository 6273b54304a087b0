import { words } from './words';

export const issues = words({
  en: {
    title: 'Issues',
    severity: 'This severity or worse', state: 'State', issue: 'Issue', place: 'Where', fix: 'What to do', seen: 'First seen', name: 'Severity',
    states: { open: 'Open', accepted: 'Accepted', fixed: 'Fixed' },
    possible: 'possible',
    none: 'No issue is here', noneMore: 'Issues appear here when a scan finds them, or an advisory is about a system of yours. With these filters there is none.',
  },
  de: {
    title: 'Schwachstellen',
    severity: 'Diese Schwere oder schlimmer', state: 'Stand', issue: 'Schwachstelle', place: 'Wo', fix: 'Was zu tun ist', seen: 'Zuerst gesehen', name: 'Schwere',
    states: { open: 'Offen', accepted: 'Hingenommen', fixed: 'Behoben' },
    possible: 'möglich',
    none: 'Hier steht keine Schwachstelle', noneMore: 'Schwachstellen erscheinen hier, wenn ein Scan sie findet oder ein Sicherheitshinweis eines Ihrer Systeme betrifft. Mit diesen Filtern gibt es keine.',
  },
});
