import { words } from './words';

// The list of studies.
export const studies = words({
  en: {
    title: 'Studies', upload: 'Upload', all: 'Show all',
    search: 'Search', searchMore: 'Beginnings of words of name or description, Patient ID or accession number, a day as 24.12.2025 or 2025-12-24, or two for the time between.',
    choose: 'Columns', look: 'Look at', viewer: 'Open in the viewer', light: 'Open on the light page', nameless: 'Without a name',
    columns: {
      date: 'Study date', name: 'Patient', patientID: 'Patient ID', birth: 'Born', modality: 'Modality', description: 'Description', accession: 'Accession',
      instances: 'Images / series', bytes: 'Size', received: 'Received', source: 'From', said: 'Status and labels',
    },
    spans: { today: 'Today', week: 'Last 7 days' }, label: 'Label', status: 'Status',
    total: (n: number) => n === 1 ? '1 study' : `${n.toLocaleString('en')} studies`, atLeast: (n: number) => `more than ${n.toLocaleString('en')} studies`,
    pages: { first: 'First page', previous: 'Previous page', next: 'Next page', last: 'Last page' },
    none: 'No study is here yet', noneMore: 'Studies appear here when a device sends them, or when you upload files. You see those that your role and your grants allow.',
    noMatch: 'No study matches', noMatchMore: 'Of what you may see nothing is as you look for it.',
  },
  de: {
    title: 'Studien', upload: 'Hochladen', all: 'Alle zeigen',
    search: 'Suchen', searchMore: 'Wortanfänge von Name oder Beschreibung, Patienten-ID oder Auftragsnummer, ein Tag wie 24.12.2025 oder 2025-12-24, oder zwei für die Zeit dazwischen.',
    choose: 'Spalten', look: 'Ansehen', viewer: 'Im Betrachter öffnen', light: 'Auf der leichten Seite öffnen', nameless: 'Ohne Namen',
    columns: {
      date: 'Studiendatum', name: 'Patient', patientID: 'Patienten-ID', birth: 'Geboren', modality: 'Modalität', description: 'Beschreibung', accession: 'Auftragsnummer',
      instances: 'Bilder / Serien', bytes: 'Größe', received: 'Empfangen', source: 'Von', said: 'Status und Etiketten',
    },
    spans: { today: 'Heute', week: 'Letzte 7 Tage' }, label: 'Etikett', status: 'Status',
    total: (n: number) => n === 1 ? '1 Studie' : `${n.toLocaleString('de')} Studien`, atLeast: (n: number) => `mehr als ${n.toLocaleString('de')} Studien`,
    pages: { first: 'Erste Seite', previous: 'Vorige Seite', next: 'Nächste Seite', last: 'Letzte Seite' },
    none: 'Noch ist keine Studie hier', noneMore: 'Studien erscheinen hier, wenn ein Gerät sie sendet oder wenn Sie Dateien hochladen. Sie sehen die, die Ihre Rolle und Ihre Freigaben erlauben.',
    noMatch: 'Keine Studie passt', noMatchMore: 'Von dem, was Sie sehen dürfen, ist nichts so, wie Sie es suchen.',
  },
});
