import { words } from './words';

export const devices = words({
  en: {
    title: 'Devices',
    waiting: (n: number) => n === 1 ? '1 device needs approval' : `${n} devices need approval`,
    waitingMore: 'They called and were refused. Compare the fingerprint with the one the device shows before you approve.',
    aeTitle: 'AE title', address: 'Address', called: 'Called', last: 'Last attempt', attempts: 'Attempts', certificate: 'Certificate', allowed: 'Allowed', until: 'Certificate until', made: 'Registered',
    noCertificate: 'None shown', plaintext: (day: string) => `without TLS until ${day}`,
    approve: 'Approve', approveTitle: (title: string) => `Approve ${title}`, allow: 'It may', fingerprint: 'Fingerprint (SHA-256)',
    compared: 'I have compared the fingerprint with the one the device shows', compare: 'Compare the fingerprint first.',
    noTLS: 'It came without TLS. Anybody in the network can read along and pretend to be it: approve that only for a while.', lastDay: 'Last day on which it may (such as 2026-12-31)',
    noCert: 'It came with TLS and without a certificate. Its address is then all that is known of it.',
    verbs: { echo: 'test the connection', store: 'send images', query: 'search', retrieve: 'fetch images', commit: 'have storage confirmed' },
    approved: (title: string) => `${title} may connect now.`,
    none: 'No device is registered', noneMore: 'Let a device call this archive: it is refused, and appears here to be approved. Or register it on the machine:',
  },
  de: {
    title: 'Geräte',
    waiting: (n: number) => n === 1 ? '1 Gerät wartet auf Zulassung' : `${n} Geräte warten auf Zulassung`,
    waitingMore: 'Sie haben angerufen und wurden abgewiesen. Vergleichen Sie den Fingerabdruck mit dem, den das Gerät zeigt, bevor Sie es zulassen.',
    aeTitle: 'AE-Titel', address: 'Adresse', called: 'Rief', last: 'Letzter Versuch', attempts: 'Versuche', certificate: 'Zertifikat', allowed: 'Erlaubt', until: 'Zertifikat bis', made: 'Eingetragen',
    noCertificate: 'Keines gezeigt', plaintext: (day: string) => `ohne TLS bis ${day}`,
    approve: 'Zulassen', approveTitle: (title: string) => `${title} zulassen`, allow: 'Es darf', fingerprint: 'Fingerabdruck (SHA-256)',
    compared: 'Ich habe den Fingerabdruck mit dem verglichen, den das Gerät zeigt', compare: 'Vergleichen Sie zuerst den Fingerabdruck.',
    noTLS: 'Es kam ohne TLS. Jeder im Netz kann mitlesen und sich als dieses Gerät ausgeben: Lassen Sie das nur für eine Weile zu.', lastDay: 'Letzter Tag, an dem es das darf (wie 2026-12-31)',
    noCert: 'Es kam mit TLS und ohne Zertifikat. Von ihm ist dann nur die Adresse bekannt.',
    verbs: { echo: 'die Verbindung prüfen', store: 'Bilder senden', query: 'suchen', retrieve: 'Bilder holen', commit: 'sich die Speicherung bestätigen lassen' },
    approved: (title: string) => `${title} darf sich jetzt verbinden.`,
    none: 'Kein Gerät ist eingetragen', noneMore: 'Lassen Sie ein Gerät dieses Archiv anrufen: Es wird abgewiesen und erscheint hier zur Zulassung. Oder tragen Sie es auf dem Rechner ein:',
  },
});
