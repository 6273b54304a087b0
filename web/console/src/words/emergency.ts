import { words } from './words';

export const emergency = words({
  en: {
    title: 'Emergency access', more: 'When a patient is in danger you may look at a study that is not granted to you. Each use raises an alarm at once, and your reason stands in the audit log with your name.',
    reason: 'Why (5 to 200 characters)', reasonMore: 'Such as: unconscious, prior CT needed. It is read by those who answer for the data.', badReason: 'Use letters, digits and the usual signs.',
    patientID: 'Patient ID', understood: 'A patient is in danger, and I need these images now', find: 'Find the studies', raised: 'The alarm is raised.',
    none: 'No study of this patient is stored', noneMore: 'Is the Patient ID typed as it stands in the images?', studies: 'Studies', date: 'Date', description: 'Description', modality: 'Modality', images: 'Images', open: 'Look',
    image: (n: number, of: number) => `Image ${n} of ${of}`, earlier: 'Previous', later: 'Next', save: 'Save the DICOM file', noPicture: 'This one cannot be drawn here. Its file can be saved.', onlyMost: (n: number) => `The first ${n} images are shown.`, refused: 'Your role has no emergency access to images, or the server refused it.',
    notDiagnostic: 'Not for diagnostic use.',
  },
  de: {
    title: 'Notfallzugriff', more: 'Ist eine Person in Gefahr, dürfen Sie eine Studie ansehen, die Ihnen nicht freigegeben ist. Jede Benutzung löst sofort einen Alarm aus, und Ihr Grund steht mit Ihrem Namen im Prüfprotokoll.',
    reason: 'Warum (5 bis 200 Zeichen)', reasonMore: 'Etwa: bewusstlos, Vor-CT nötig. Es lesen die, die für die Daten verantwortlich sind.', badReason: 'Benutzen Sie Buchstaben, Ziffern und die üblichen Zeichen.',
    patientID: 'Patienten-ID', understood: 'Eine Person ist in Gefahr, und ich brauche diese Bilder jetzt', find: 'Studien suchen', raised: 'Der Alarm ist ausgelöst.',
    none: 'Von dieser Person ist keine Studie gespeichert', noneMore: 'Ist die Patienten-ID geschrieben, wie sie in den Bildern steht?', studies: 'Studien', date: 'Datum', description: 'Beschreibung', modality: 'Modalität', images: 'Bilder', open: 'Ansehen',
    image: (n: number, of: number) => `Bild ${n} von ${of}`, earlier: 'Zurück', later: 'Weiter', save: 'DICOM-Datei speichern', noPicture: 'Das lässt sich hier nicht zeichnen. Die Datei lässt sich speichern.', onlyMost: (n: number) => `Gezeigt werden die ersten ${n} Bilder.`, refused: 'Ihre Rolle hat keinen Notfallzugriff auf Bilder, oder der Server hat ihn verweigert.',
    notDiagnostic: 'Nicht zur Befundung.',
  },
});
