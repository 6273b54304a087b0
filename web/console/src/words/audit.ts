import { words } from './words';

export const audit = words({
  en: {
    title: 'Audit log', more: 'Who did what, oldest first. Nothing is ever taken out of it.',
    failed: 'Only what was refused or failed', time: 'Time', event: 'Event', who: 'Who', from: 'From', outcome: 'Outcome', about: 'About',
    ok: 'done', bad: 'refused or failed',
    none: 'Nothing matches', noneMore: 'Everything that is read, stored, changed or refused appears here. With this filter there is nothing.', noneYet: 'Nothing here yet; more of the log is still to be searched.',
    filter: 'Filter', search: 'Search', clear: 'Without filter', any: 'Any', principal: 'Who (person, device, token ID, share ID)', person: 'Person, also through a device', patient: 'Patient ID', study: 'Study Instance UID', address: 'IP address', door: 'Way in', action: 'Images were', since: 'Since (day or time)', until: 'Until (day or time)', onlyHere: 'What you type stays behind the # of the address.',
    actions: { read: 'read', store: 'stored', delete: 'deleted' },
    doors: { dimse: 'DICOM with TLS', 'dimse-plain': 'DICOM without TLS', dicomweb: 'DICOMweb', api: 'Console and API', command: 'Command line', schedule: 'Schedule', hl7: 'HL7 v2', page: 'Pages behind the gate' },
    events: {
      'application-start': 'Server started', 'application-stop': 'Server stopped', 'audit-log-used': 'Audit log read', export: 'Link or export', 'begin-transferring': 'Images are to be read', 'instances-transferred': 'Images transferred',
      'network-entry': 'Joined the network', 'study-deleted': 'Study deleted', 'instances-deleted': 'Images deleted', query: 'Search', 'security-alert': 'Security alert', 'user-authentication': 'Let in', 'user-signed-out': 'Signed out',
      'emergency-access': 'Emergency access', 'storage-commitment': 'Storage confirmed', 'procedure-step': 'Procedure step', verification: 'C-ECHO', 'device-registration-changed': 'Device changed', 'gate-changed': 'Gate changed',
      'maintenance-door': 'Door for maintenance', 'message-passed': 'HL7 message', 'page-passed': 'Page behind the gate', 'inventory-changed': 'Inventory changed', 'person-changed': 'Person changed', 'network-scan': 'Network scan',
      maintenance: 'Maintenance', 'alarm-test': 'Alarm tested', 'study-marked': 'Study labelled', 'report-made': 'Report made', 'quarantine-changed': 'Quarantine decided',
    },
    exportAll: 'Export what matches', forms: { json: 'JSON lines', dicom: 'DICOM audit messages (XML)', fhir: 'FHIR AuditEvent' }, exported: 'The file is saved.',
    verify: 'Verify it', instances: (n: number) => n === 1 ? '1 image' : `${n} images`, rule: 'Rule',
  },
  de: {
    title: 'Prüfprotokoll', more: 'Wer was getan hat, das Älteste zuerst. Nichts wird je herausgenommen.',
    failed: 'Nur was verweigert wurde oder fehlschlug', time: 'Zeit', event: 'Ereignis', who: 'Wer', from: 'Von', outcome: 'Ausgang', about: 'Worum',
    ok: 'getan', bad: 'verweigert oder fehlgeschlagen',
    none: 'Dazu steht nichts da', noneMore: 'Alles, was gelesen, gespeichert, geändert oder verweigert wird, erscheint hier. Mit diesem Filter gibt es nichts.', noneYet: 'Bis hier nichts; mehr vom Protokoll ist noch zu durchsuchen.',
    filter: 'Filter', search: 'Suchen', clear: 'Ohne Filter', any: 'Alle', principal: 'Wer (Person, Gerät, token ID, share ID)', person: 'Person, auch über ein Gerät', patient: 'Patienten-ID', study: 'Study Instance UID', address: 'IP-Adresse', door: 'Zugang', action: 'Bilder wurden', since: 'Ab (Tag oder Zeit)', until: 'Bis (Tag oder Zeit)', onlyHere: 'Was Sie eintippen, bleibt hinter dem # der Adresse.',
    actions: { read: 'gelesen', store: 'gespeichert', delete: 'gelöscht' },
    doors: { dimse: 'DICOM mit TLS', 'dimse-plain': 'DICOM ohne TLS', dicomweb: 'DICOMweb', api: 'Konsole und API', command: 'Befehlszeile', schedule: 'Zeitplan', hl7: 'HL7 v2', page: 'Seiten hinter dem Gate' },
    events: {
      'application-start': 'Server gestartet', 'application-stop': 'Server beendet', 'audit-log-used': 'Prüfprotokoll gelesen', export: 'Link oder Export', 'begin-transferring': 'Bilder sollen gelesen werden', 'instances-transferred': 'Bilder übertragen',
      'network-entry': 'Am Netz angemeldet', 'study-deleted': 'Studie gelöscht', 'instances-deleted': 'Bilder gelöscht', query: 'Suche', 'security-alert': 'Sicherheitswarnung', 'user-authentication': 'Eingelassen', 'user-signed-out': 'Abgemeldet',
      'emergency-access': 'Notfallzugriff', 'storage-commitment': 'Speicherung bestätigt', 'procedure-step': 'Prozedurschritt', verification: 'C-ECHO', 'device-registration-changed': 'Gerät geändert', 'gate-changed': 'Gate geändert',
      'maintenance-door': 'Wartungszugang', 'message-passed': 'HL7-Nachricht', 'page-passed': 'Seite hinter dem Gate', 'inventory-changed': 'Inventar geändert', 'person-changed': 'Person geändert', 'network-scan': 'Scan des Netzes',
      maintenance: 'Wartung', 'alarm-test': 'Alarm erprobt', 'study-marked': 'Studie beschriftet', 'report-made': 'Bericht gemacht', 'quarantine-changed': 'Über Quarantäne entschieden',
    },
    exportAll: 'Ausgeben, was passt', forms: { json: 'JSON-Zeilen', dicom: 'DICOM-Audit-Nachrichten (XML)', fhir: 'FHIR AuditEvent' }, exported: 'Die Datei ist gespeichert.',
    verify: 'Nachprüfen', instances: (n: number) => n === 1 ? '1 Bild' : `${n} Bilder`, rule: 'Regel',
  },
});
