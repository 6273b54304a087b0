import { words } from './words';

export const accesses = words({
  en: {
    title: 'Who saw what', more: 'What the audit log knows of one patient, or of one study: who read, stored or deleted images, when and how. For a patient’s own request it can be printed.',
    by: 'Of', patient: 'Patient', study: 'Study', patientID: 'Patient ID', issuer: 'Issuer of the Patient ID (may be empty)', studyUID: 'Study Instance UID', show: 'Show', onlyHere: 'What you type stays behind the # of the address. That you looked is recorded.',
    ofPatient: (id: string) => `Accesses to studies of the patient with the ID ${id}`, ofStudy: (uid: string) => `Accesses to the study ${uid}`, made: (when: string) => `As of ${when}.`,
    none: 'Nobody saw anything', noneMore: 'Nothing in the audit log names this. Is it typed as it stands in the images?', loading: (n: number) => `Still reading: ${n} so far`, all: (n: number) => n === 1 ? '1 access' : `${n} accesses`, print: 'Print',
    time: 'Time', did: 'What', who: 'Who', door: 'How', of: 'Study', images: 'Images', refused: 'refused', person: (name: string) => `for ${name}`,
    kinds: { device: 'device', person: 'person', service: 'token', share: 'link', system: 'system behind the gate', operator: 'at the command line' },
    deeds: { read: 'read', store: 'stored', delete: 'deleted' },
  },
  de: {
    title: 'Wer was sah', more: 'Was das Prüfprotokoll von einer Person oder einer Studie weiß: wer Bilder gelesen, gespeichert oder gelöscht hat, wann und wie. Für eine Anfrage der betroffenen Person lässt es sich drucken.',
    by: 'Von', patient: 'Patient', study: 'Studie', patientID: 'Patienten-ID', issuer: 'Aussteller der Patienten-ID (darf leer sein)', studyUID: 'Study Instance UID', show: 'Zeigen', onlyHere: 'Was Sie eintippen, bleibt hinter dem # der Adresse. Dass Sie nachgesehen haben, wird aufgezeichnet.',
    ofPatient: (id: string) => `Zugriffe auf Studien der Person mit der Patienten-ID ${id}`, ofStudy: (uid: string) => `Zugriffe auf die Studie ${uid}`, made: (when: string) => `Stand: ${when}.`,
    none: 'Niemand hat etwas gesehen', noneMore: 'Nichts im Prüfprotokoll nennt das. Ist es geschrieben, wie es in den Bildern steht?', loading: (n: number) => `Es wird noch gelesen: bisher ${n}`, all: (n: number) => n === 1 ? '1 Zugriff' : `${n} Zugriffe`, print: 'Drucken',
    time: 'Zeit', did: 'Was', who: 'Wer', door: 'Wie', of: 'Studie', images: 'Bilder', refused: 'verweigert', person: (name: string) => `für ${name}`,
    kinds: { device: 'Gerät', person: 'Person', service: 'Token', share: 'Link', system: 'System hinter dem Gate', operator: 'auf der Befehlszeile' },
    deeds: { read: 'gelesen', store: 'gespeichert', delete: 'gelöscht' },
  },
});
