import { words } from './words';

export const scans = words({
  en: {
    title: 'Scans', none: 'Nobody has looked at your network yet', noneMore: 'A scan finds the services of imaging in it, who may use them, and what to do. It harms nobody.',
    running: (targets: string) => `Looking at ${targets}`,
    soFar: (looked: number, of: number, hosts: number) => `${looked} of ${of} addresses looked at, ${hosts === 1 ? '1 system has' : `${hosts} systems have`} services.`,
    left: (seconds: number) => seconds < 90 ? `About ${Math.max(seconds, 1)} seconds left.` : `About ${Math.round(seconds / 60)} minutes left.`,
    stop: 'Stop the scan', stopped: 'The scan stops. What was found stays.',
    sent: 'What is sent', sends: [
      'Connections that are closed at once, to the usual ports of each address.',
      'One question on each open port: what are you? Printers and HL7 get none.',
      'To DICOM: an association, one C-ECHO, and searches for a number that cannot exist. Nothing of a patient is fetched.',
      'To web pages: reading known pages. Nothing is stored, changed or tried with passwords.',
      'One connection to a system at a time, with a pause. A system that gets slower is left alone.',
    ],
    begin: 'Begin a scan', targets: 'Ranges or addresses', targetsMore: 'Such as 10.20.0.0/24 or 10.20.0.5:104, with a space between.',
    ports: 'Ports (empty: the usual ones)', calledTitle: 'AE title of the archive, if it is known', mine: 'I may check these ranges: they are ours, or whoever they belong to has agreed.',
    scope: 'Where scans may look', scopeMore: 'Nothing is sent to an address that nobody declared. This machine itself is always in the scope.', ranges: 'Declared', exclude: 'Never looked at', zones: 'Imaging zones', declare: 'Declare a range', range: 'Range', nothing: 'Nothing', declared: 'The range is declared.',
    when: 'Begun', state: 'State', hosts: 'Systems', by: 'By', all: 'The last scans', sinceStart: 'Scans since the server started.',
    states: { running: 'Running', done: 'Done', stopped: 'Stopped', failed: 'Failed' },
    result: 'What was found', address: 'Address', services: 'Services', issues: 'Issues', worst: 'Worst', nothingFound: 'No services of imaging were found.', scan: 'Scan', back: 'All scans', notKept: 'This scan is no longer kept', notKeptMore: 'Scans are kept until the server is started anew. What they found stays under Systems and Issues.',
  },
  de: {
    title: 'Scans', none: 'Ihr Netz wurde noch nicht angesehen', noneMore: 'Ein Scan findet die Dienste der Bildgebung darin, wer sie benutzen darf und was zu tun ist. Er schadet niemandem.',
    running: (targets: string) => `${targets} wird angesehen`,
    soFar: (looked: number, of: number, hosts: number) => `${looked} von ${of} Adressen angesehen, ${hosts === 1 ? '1 System hat' : `${hosts} Systeme haben`} Dienste.`,
    left: (seconds: number) => seconds < 90 ? `Noch etwa ${Math.max(seconds, 1)} Sekunden.` : `Noch etwa ${Math.round(seconds / 60)} Minuten.`,
    stop: 'Scan anhalten', stopped: 'Der Scan hält an. Was gefunden wurde, bleibt.',
    sent: 'Was gesendet wird', sends: [
      'Verbindungen, die sofort wieder geschlossen werden, zu den üblichen Ports jeder Adresse.',
      'Eine Frage an jeden offenen Port: Was bist du? Drucker und HL7 bekommen keine.',
      'An DICOM: eine Assoziation, ein C-ECHO und Suchen nach einer Nummer, die es nicht geben kann. Von Patienten wird nichts geholt.',
      'An Webseiten: das Lesen bekannter Seiten. Nichts wird gespeichert, geändert oder mit Passwörtern versucht.',
      'Zu einem System nur eine Verbindung zur Zeit, mit Pausen. Ein System, das langsamer wird, wird in Ruhe gelassen.',
    ],
    begin: 'Scan beginnen', targets: 'Netzbereiche oder Adressen', targetsMore: 'Wie 10.20.0.0/24 oder 10.20.0.5:104, mit Leerzeichen dazwischen.',
    ports: 'Ports (leer: die üblichen)', calledTitle: 'AE-Titel des Archivs, falls bekannt', mine: 'Ich darf diese Bereiche prüfen: Es sind unsere, oder wem sie gehören, ist einverstanden.',
    scope: 'Wo Scans nachsehen dürfen', scopeMore: 'Nichts wird an eine Adresse gesendet, die niemand angegeben hat. Dieser Rechner selbst gehört immer dazu.', ranges: 'Angegeben', exclude: 'Nie angesehen', zones: 'Zonen der Bildgebung', declare: 'Bereich angeben', range: 'Netzbereich', nothing: 'Nichts', declared: 'Der Bereich ist angegeben.',
    when: 'Begonnen', state: 'Stand', hosts: 'Systeme', by: 'Von', all: 'Die letzten Scans', sinceStart: 'Scans seit dem Start des Servers.',
    states: { running: 'Läuft', done: 'Fertig', stopped: 'Angehalten', failed: 'Fehlgeschlagen' },
    result: 'Was gefunden wurde', address: 'Adresse', services: 'Dienste', issues: 'Schwachstellen', worst: 'Schlimmste', nothingFound: 'Keine Dienste der Bildgebung wurden gefunden.', scan: 'Scan', back: 'Alle Scans', notKept: 'Dieser Scan ist nicht mehr da', notKeptMore: 'Scans bleiben bis zum nächsten Start des Servers. Was sie fanden, steht weiter unter Systeme und Schwachstellen.',
  },
});
