import { words } from './words';

// Storing files from this computer.
export const upload = words({
  en: {
    drop: 'Drop a folder, files, a ZIP file or a CD here', files: 'Choose files', folder: 'Choose a folder',
    title: 'Upload', more: 'Files, folders, ZIP files and CDs: what is a DICOM object is stored, everything else is left out. Nothing that is stored is overwritten.', toList: 'To the list of studies',
    storing: 'Storing', stop: 'Stop', pause: 'Pause', goOn: 'Go on', each: 'File by file', file: 'File', outcome: 'What became of it',
    counts: (n: number) => n === 1 ? '1 image is stored.' : `${n} images are stored.`,
    refused: (n: number) => n === 1 ? '1 was refused.' : `${n} were refused.`,
    other: (n: number) => n === 1 ? '1 file is no image and was left out.' : `${n} files are no images and were left out.`,
    unreadable: 'A file cannot be read, or is a ZIP file that is damaged or far too large when unpacked.', again: 'What is stored stays. Start again to go on: nothing is stored twice.',
    is: { stored: 'Stored', refused: 'Refused', other: 'No DICOM image, left out' },
    codes: {
      '0110': 'It could not be read, or storing failed. The log of the server says why.', '0111': 'Something else is stored under its number. It is held back.', '0122': 'This kind of object is not taken.', '0124': 'Your role or its content does not allow it. It may be held back.',
      A700: 'There is no room left.', A900: 'It contradicts what is stored under its number.', C000: 'It is not valid DICOM.', denied: 'Your role does not allow it.', 'too-large': 'It is too large.',
      busy: 'The server has too much to do. Try it again.', unavailable: 'The archive does not work at the moment.',
    },
  },
  de: {
    drop: 'Legen Sie einen Ordner, Dateien, eine ZIP-Datei oder eine CD hier ab', files: 'Dateien wählen', folder: 'Ordner wählen',
    title: 'Hochladen', more: 'Dateien, Ordner, ZIP-Dateien und CDs: Was ein DICOM-Objekt ist, wird gespeichert, alles andere ausgelassen. Nichts, was gespeichert ist, wird überschrieben.', toList: 'Zur Liste der Studien',
    storing: 'Wird gespeichert', stop: 'Beenden', pause: 'Anhalten', goOn: 'Weiter', each: 'Datei für Datei', file: 'Datei', outcome: 'Was daraus wurde',
    counts: (n: number) => n === 1 ? '1 Bild ist gespeichert.' : `${n} Bilder sind gespeichert.`,
    refused: (n: number) => n === 1 ? '1 wurde abgelehnt.' : `${n} wurden abgelehnt.`,
    other: (n: number) => n === 1 ? '1 Datei ist kein Bild und wurde ausgelassen.' : `${n} Dateien sind keine Bilder und wurden ausgelassen.`,
    unreadable: 'Eine Datei ließ sich nicht lesen oder ist eine ZIP-Datei, die beschädigt oder entpackt viel zu groß ist.', again: 'Was gespeichert ist, bleibt. Beginnen Sie noch einmal, um weiterzumachen: Nichts wird doppelt gespeichert.',
    is: { stored: 'Gespeichert', refused: 'Abgelehnt', other: 'Kein DICOM-Bild, ausgelassen' },
    codes: {
      '0110': 'Es ließ sich nicht lesen, oder das Speichern schlug fehl. Warum, steht im Protokoll des Servers.', '0111': 'Unter seiner Nummer ist etwas anderes gespeichert. Es wird zurückgehalten.', '0122': 'Diese Art von Objekt wird nicht angenommen.', '0124': 'Ihre Rolle oder sein Inhalt erlaubt es nicht. Vielleicht wird es zurückgehalten.',
      A700: 'Es ist kein Platz mehr.', A900: 'Es widerspricht dem, was unter seiner Nummer gespeichert ist.', C000: 'Es ist kein gültiges DICOM.', denied: 'Ihre Rolle erlaubt das nicht.', 'too-large': 'Es ist zu groß.',
      busy: 'Der Server hat zu viel zu tun. Versuchen Sie es noch einmal.', unavailable: 'Das Archiv arbeitet im Augenblick nicht.',
    },
  },
});
