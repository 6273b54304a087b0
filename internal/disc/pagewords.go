package disc

// pageWords are the texts of the pages in one language.
type pageWords struct {
	Language, Title, Notice, Objects, Back, More, Document, File, LeftOut, ReadMe string
}

func wordsOf(language string) pageWords {
	if language == "de" {
		return pageWords{
			Language: "de", Title: "Bilder", Notice: "Nicht zur Befundung: Die Bilder sind verkleinert und verlustbehaftet komprimiert.",
			Objects: "Objekte",
			Back:    "Zur Übersicht",
			More:    "weitere Einzelbilder stehen nur in der Datei", Document: "Dokument öffnen", File: "DICOM-Datei",
			LeftOut: "Objekte konnten nicht aufgenommen werden.",
			ReadMe: "INDEX.HTM zeigt die Bilder in jedem Browser, ohne Programm und ohne Netz.\r\n" +
				"DICOMDIR ist das Verzeichnis fuer DICOM-Programme; die Originale stehen in den Ordnern PT...\r\n",
		}
	}
	return pageWords{
		Language: "en", Title: "Images", Notice: "Not for diagnostic use: the pictures are reduced, with lossy compression.",
		Objects: "objects",
		Back:    "To the overview", More: "more frames are in the file alone", Document: "Open the document", File: "DICOM file",
		LeftOut: "objects could not be taken.",
		ReadMe: "INDEX.HTM shows the images in any browser, without a program and without a network.\r\n" +
			"DICOMDIR is the directory for DICOM programs; the originals are in the folders PT...\r\n",
	}
}
