import { words } from './words';

// Storing files from this computer.
export const upload = words({
  en: {
    drop: 'Drop a folder, files, a ZIP file or a CD here', files: 'Choose files', folder: 'Choose a folder',
    storing: 'Storing', stop: 'Stop', each: 'File by file', file: 'File', outcome: 'What became of it',
    counts: (n: number) => n === 1 ? '1 image is stored.' : `${n} images are stored.`,
    refused: (n: number) => n === 1 ? '1 was refused.' : `${n} were refused.`,
    other: (n: number) => n === 1 ? '1 file is no image and was left out.' : `${n} files are no images and were left out.`,
    unreadable: 'A file cannot be read, or is a damaged ZIP file.', again: 'What is stored stays. Start again to go on: nothing is stored twice.',
    is: { stored: 'Stored', refused: 'Refused', other: 'No DICOM image, left out' },
    codes: {
      '0110': 'It could not be read, or storing failed. The log of the server says why.', '0111': 'Something else is stored under its number. It is held back.', '0122': 'This kind of object is not taken.', '0124': 'Your role or its content does not allow it. It may be held back.',
      A700: 'There is no room left.', A900: 'It contradicts what is stored under its number.', C000: 'It is not valid DICOM.', denied: 'Your role does not allow it.', 'too-large': 'It is too large.',
      busy: 'The server has too much to do. Try it again.', unavailable: 'The archive does not work at the moment.',
    },
  },
  de: {
    drop: 'Legen Sie einen Ordner, Dateien, eine ZIP-Datei oder eine CD hier ab', files: 'Dateien wählen', folder: 'Ordner wählen',
    storing: 'Wird gespeichert', stop: 'Anhalten', each: 'Datei für Datei', file: 'Datei', outcome: 'Was daraus wurde',
    counts: (n: number) => n === 1 ? '1 Bild ist gespeichert.' : `${n} Bilder sind gespeichert.`,
    refused: (n: number) => n === 1 ? '1 wurde abgelehnt.' : `${n} wurden abgelehnt.`,
    other: (n: number) => n === 1 ? '1 Datei ist kein Bild und wurde ausgelassen.' : `${n} Dateien sind keine Bilder und wurden ausgelassen.`,
    unreadable: 'Eine Datei ließ sich nicht lesen oder ist eine beschädigte ZIP-Datei.', again: 'Was gespeichert ist, bleibt. Beginnen Sie noch einmal, um weiterzumachen: Nichts wird doppelt gespeichert.',
    is: { stored: 'Gespeichert', refused: 'Abgelehnt', other: 'Kein DICOM-Bild, ausgelassen' },
    codes: {
      '0110': 'Es ließ sich nicht lesen, oder das Speichern schlug fehl. Warum, steht im Protokoll des Servers.', '0111': 'Unter seiner Nummer ist etwas anderes gespeichert. Es wird zurückgehalten.', '0122': 'Diese Art von Objekt wird nicht angenommen.', '0124': 'Ihre Rolle oder sein Inhalt erlaubt es nicht. Vielleicht wird es zurückgehalten.',
      A700: 'Es ist kein Platz mehr.', A900: 'Es widerspricht dem, was unter seiner Nummer gespeichert ist.', C000: 'Es ist kein gültiges DICOM.', denied: 'Ihre Rolle erlaubt das nicht.', 'too-large': 'Es ist zu groß.',
      busy: 'Der Server hat zu viel zu tun. Versuchen Sie es noch einmal.', unavailable: 'Das Archiv arbeitet im Augenblick nicht.',
    },
  },
});
