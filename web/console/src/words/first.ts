import { words } from './words';

// The first steps of somebody who administrates, and what is open before going live.
export const first = words({
  en: {
    title: 'First steps', left: (n: number) => n === 1 ? '1 step is left' : `${n} steps are left`, allDone: 'The first steps are done', more: 'In any order. Each notices by itself when it is done.',
    later: 'Later', toStart: 'Go to the start', done: 'Done', open: 'Open',
    store: 'Store a first study', storeMore: 'Nothing leaves this browser but to this archive.', sample: 'Store a test study', sampleMore: 'The test study is of nobody and marked TEST.', orSend: 'Or let a computer with DCMTK send one, once it is approved:',
    around: 'Look at your network', aroundMore: 'A scan finds which services of imaging stand there, who may use them, and what to do.', ranges: 'Network ranges', rangesMore: 'The networks of this machine are filled in. Such as 10.20.0.0/24, with a space between.',
    mine: 'I may check this range: it is ours, or whoever it belongs to has agreed.', begin: 'Look now', foundHosts: (n: number) => n === 1 ? '1 system has services.' : `${n} systems have services.`, toIssues: 'Show the issues', toAssets: 'Show the systems',
    connect: 'Connect a device', connectMore: 'Let the device call this archive. It is refused and appears here; compare its fingerprint and approve it.', waiting: 'Waiting for a device to call …',
    called: (title: string, address: string) => `${title} called from ${address}.`, look: 'Compare and approve',
    trustFirst: 'The device has to trust this archive. Carry this file to it:', typed: 'What is typed at the device', dialog: 'Settings of a device',
    ownKey: 'A key for the device:', thenEcho: 'Call the archive (the first call is refused):', thenSend: 'Once it is approved, send a folder:', intoOrthanc: 'Into orthanc.json, with a key of its own beside it:', forJava: 'A key for the device, and key stores for Java:',
    calledTitle: 'Called AE title', host: 'Host', port: 'Port', tls: 'On, version 1.2 or 1.3, with client certificate', trusted: 'Trusted authority', callingTitle: 'Own AE title', callingMore: 'as the device has it, 1 to 16 characters',
    before: 'Before going live', nothingOpen: 'Nothing is open.', openPoints: (n: number, of: number) => `${n} of ${of} are open.`, openPage: 'Open the page',
    points: {
      backup: 'A backup on another machine', 'recovery-key': 'The recovery key is kept elsewhere', rehearsal: 'A restore was tried', 'second-administrator': 'A second administrator',
      certificate: 'A certificate that browsers trust', alarms: 'Alarms reach somebody', network: 'The archive can be reached from the network',
    },
    why: {
      backup: 'Without one, a broken disk is the end of the images.', 'recovery-key': 'Without it, no backup can be read.', rehearsal: 'Only a restore that was tried is one to rely on.', 'second-administrator': 'If one of you is away, somebody has to let people in.',
      certificate: 'Until then every browser warns, and people learn to ignore it.', alarms: 'Nobody looks at a page at night.', network: 'It listens on this machine only, until the settings say otherwise.',
    },
  },
  de: {
    title: 'Erste Schritte', left: (n: number) => n === 1 ? '1 Schritt ist noch offen' : `${n} Schritte sind noch offen`, allDone: 'Die ersten Schritte sind getan', more: 'In beliebiger Reihenfolge. Jeder merkt selbst, wenn er getan ist.',
    later: 'Später', toStart: 'Zur Startseite', done: 'Erledigt', open: 'Offen',
    store: 'Eine erste Studie speichern', storeMore: 'Nichts verlässt diesen Browser außer zu diesem Archiv.', sample: 'Eine Teststudie speichern', sampleMore: 'Die Teststudie gehört niemandem und ist mit TEST bezeichnet.', orSend: 'Oder lassen Sie einen Rechner mit DCMTK eine senden, sobald er zugelassen ist:',
    around: 'Ihr Netz ansehen', aroundMore: 'Ein Scan findet, welche Dienste der Bildgebung dort stehen, wer sie benutzen darf und was zu tun ist.', ranges: 'Netzbereiche', rangesMore: 'Die Netze dieses Rechners sind eingetragen. Wie 10.20.0.0/24, mit Leerzeichen dazwischen.',
    mine: 'Ich darf diesen Bereich prüfen: Es ist unserer, oder wem er gehört, ist einverstanden.', begin: 'Jetzt ansehen', foundHosts: (n: number) => n === 1 ? '1 System hat Dienste.' : `${n} Systeme haben Dienste.`, toIssues: 'Schwachstellen zeigen', toAssets: 'Systeme zeigen',
    connect: 'Ein Gerät verbinden', connectMore: 'Lassen Sie das Gerät dieses Archiv anrufen. Es wird abgewiesen und erscheint hier; vergleichen Sie seinen Fingerabdruck und lassen Sie es zu.', waiting: 'Es wird auf den Anruf eines Geräts gewartet …',
    called: (title: string, address: string) => `${title} rief von ${address} an.`, look: 'Vergleichen und zulassen',
    trustFirst: 'Das Gerät muss diesem Archiv vertrauen. Tragen Sie diese Datei hin:', typed: 'Was am Gerät eingegeben wird', dialog: 'Einstellungen eines Geräts',
    ownKey: 'Ein Schlüssel für das Gerät:', thenEcho: 'Rufen Sie das Archiv an (der erste Anruf wird abgewiesen):', thenSend: 'Sobald es zugelassen ist, senden Sie einen Ordner:', intoOrthanc: 'In orthanc.json, daneben ein eigener Schlüssel:', forJava: 'Ein Schlüssel für das Gerät, und Schlüsselspeicher für Java:',
    calledTitle: 'Gerufener AE-Titel', host: 'Rechner', port: 'Port', tls: 'Ein, Version 1.2 oder 1.3, mit Client-Zertifikat', trusted: 'Vertraute Zertifizierungsstelle', callingTitle: 'Eigener AE-Titel', callingMore: 'wie das Gerät ihn hat, 1 bis 16 Zeichen',
    before: 'Vor dem Betrieb', nothingOpen: 'Nichts ist mehr offen.', openPoints: (n: number, of: number) => `${n} von ${of} sind offen.`, openPage: 'Seite öffnen',
    points: {
      backup: 'Eine Sicherung auf einem anderen Rechner', 'recovery-key': 'Der Wiederherstellungsschlüssel liegt woanders', rehearsal: 'Eine Wiederherstellung wurde geprobt', 'second-administrator': 'Eine zweite Person für die Verwaltung',
      certificate: 'Ein Zertifikat, dem Browser vertrauen', alarms: 'Alarme erreichen jemanden', network: 'Das Archiv ist aus dem Netz erreichbar',
    },
    why: {
      backup: 'Ohne sie ist eine kaputte Platte das Ende der Bilder.', 'recovery-key': 'Ohne ihn ist keine Sicherung lesbar.', rehearsal: 'Verlass ist nur auf eine Wiederherstellung, die geprobt wurde.', 'second-administrator': 'Ist jemand von Ihnen nicht da, muss eine andere Person Leute hereinlassen können.',
      certificate: 'Bis dahin warnt jeder Browser, und man gewöhnt sich daran, das wegzuklicken.', alarms: 'Nachts sieht niemand auf eine Seite.', network: 'Es lauscht nur auf diesem Rechner, bis die Einstellungen etwas anderes sagen.',
    },
  },
});
