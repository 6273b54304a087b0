import { words } from './words';

export const ledger = words({
  en: {
    title: 'Proof of the audit log', more: 'Each record and each image is a leaf of a log that can only grow. A checkpoint signs all of it; a changed or missing row shows.',
    leaves: (n: string) => `${n} leaves are signed`, empty: 'Nothing is signed yet', emptyMore: 'The first checkpoint is made when something was recorded.',
    checkpoint: 'Checkpoint', checkpointMore: 'Keep it where this machine cannot write: it proves later that nothing was taken out or changed before it.', saveCheckpoint: 'Save the checkpoint', key: 'Key that verifies it',
    verification: 'Verification', verificationMore: 'Holds the audit log and the registers of people, devices and routes against the ledger. Images are read by collimator verify on the machine.', run: 'Verify now', stop: 'Stop', running: 'Leaves read',
    fine: (leaves: string) => `All ${leaves} leaves are as they were recorded`, witnesses: (n: number) => n === 1 ? 'compared with 1 checkpoint of the witness' : `compared with ${n} checkpoints of the witness`,
    problems: (n: number) => n === 1 ? '1 thing is not as it was recorded' : `${n} things are not as they were recorded`, problemsMore: 'Somebody or something has changed the database around this program. Keep the disk as it is, and compare with a backup.', where: 'Where', what: 'What',
    failed: 'The verification did not come to its end. The log of the server says why.', busy: 'It did not begin: another one runs, or the server does not answer.',
  },
  de: {
    title: 'Beweis des Prüfprotokolls', more: 'Jeder Eintrag und jedes Bild ist ein Blatt eines Logs, das nur wachsen kann. Ein Checkpoint signiert alles; eine geänderte oder fehlende Zeile fällt auf.',
    leaves: (n: string) => `${n} Blätter sind signiert`, empty: 'Noch ist nichts signiert', emptyMore: 'Der erste Checkpoint entsteht, wenn etwas aufgezeichnet wurde.',
    checkpoint: 'Checkpoint', checkpointMore: 'Heben Sie ihn dort auf, wo dieser Rechner nicht schreiben kann: Er beweist später, dass vorher nichts herausgenommen oder geändert wurde.', saveCheckpoint: 'Checkpoint speichern', key: 'Schlüssel, der ihn prüft',
    verification: 'Nachprüfung', verificationMore: 'Hält Prüfprotokoll und die Register der Personen, Geräte und Routen gegen das Log. Bilder liest collimator verify auf dem Rechner.', run: 'Jetzt nachprüfen', stop: 'Anhalten', running: 'Gelesene Blätter',
    fine: (leaves: string) => `Alle ${leaves} Blätter sind, wie sie aufgezeichnet wurden`, witnesses: (n: number) => n === 1 ? 'verglichen mit 1 Checkpoint des Zeugen' : `verglichen mit ${n} Checkpoints des Zeugen`,
    problems: (n: number) => n === 1 ? '1 Sache ist nicht, wie sie aufgezeichnet wurde' : `${n} Sachen sind nicht, wie sie aufgezeichnet wurden`, problemsMore: 'Jemand oder etwas hat die Datenbank an diesem Programm vorbei geändert. Lassen Sie die Platte, wie sie ist, und vergleichen Sie mit einem Backup.', where: 'Wo', what: 'Was',
    failed: 'Die Nachprüfung kam nicht zu ihrem Ende. Das Protokoll des Servers sagt, warum.', busy: 'Sie begann nicht: Eine andere läuft, oder der Server antwortet nicht.',
  },
});
