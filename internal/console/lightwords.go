package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"collimator/dicom/report"
	"collimator/dicom/uid"
	"collimator/dicomweb"
)

// lightWords are the texts of the pages that show a study, in one language.
type lightWords struct {
	Study, Series, Image, Images, Frames, Back, First, Previous, Next, Last, Place, Play, Stop, Reset, Windows, WindowOwn, Download, Open, Help string

	Alt                                                    string // %1 and %2 are a place and how many there are, %3 the modality
	Empty, NoStudy                                         string
	CT                                                     [4]string
	Kinds                                                  [8]string
	Layout                                                 string // of a day
	WhyAway, WhyVideo, WhyNothing, WhyPrivate, WhyDocument string
	WhyCut, Elsewhere                                      string
	Labels                                                 map[report.Label]string  // those that are called otherwise
	Why                                                    map[dicomweb.Code]string // %s is a transfer syntax
}

var lightEnglish = lightWords{
	Study: "Study", Series: "Series", Image: "image", Images: "images", Frames: "frames", Back: "All series", First: "First", Previous: "Previous", Next: "Next",
	Last: "Last", Place: "Image", Play: "Play", Stop: "Stop", Reset: "Whole picture", Windows: "Brightness and contrast", WindowOwn: "As sent", Download: "Download (DICOM)", Open: "Open the document",
	Help: "One finger or the wheel goes through the images, two fingers enlarge, a tap shows brightness and contrast, two taps show the whole picture.",
	Alt:  "%3 image %1 of %2", Empty: "no images", NoStudy: "There is no such study, or you may not see it.",
	CT:      [4]string{"Soft tissue", "Lung", "Bone", "Brain"},
	Kinds:   [8]string{"Image", "Segmentation", "Document", "Report", "Curves", "Video", "Private object", "Object without a picture"},
	Layout:  "2 Jan 2006",
	WhyAway: "This cannot be had at this moment. Try again.", WhyVideo: "This is a video. It cannot be played here; download it.",
	WhyNothing: "This object holds nothing that can be seen here.", WhyPrivate: "This object is of a kind that its manufacturer made up. It cannot be shown here.",
	WhyCut: "There is more, which is not shown here.", Elsewhere: "(not in this study)",
	WhyDocument: "This document is of a kind that browsers do not show. Download it.",
	Why: map[dicomweb.Code]string{
		dicomweb.CodeNoPicture: "This object has no pixel data.", dicomweb.CodeNoFrame: "This image says that it has more frames than it holds.",
		dicomweb.CodeNoDecoder: "This image is compressed as %s, which cannot be decoded here yet.", dicomweb.CodeDamaged: "This image is damaged: its pixel data cannot be decoded.",
		dicomweb.CodeFrames: "The frames of this image cannot be told apart.", dicomweb.CodeUnusual: "The pixels of this image are of a kind of which no picture can be made here.",
		dicomweb.CodeVideo: "This is a video. It cannot be played here; download it.", dicomweb.CodeDocument: "This is a document and has no picture.",
	},
}

var lightGerman = lightWords{
	Study: "Untersuchung", Series: "Serie", Image: "Bild", Images: "Bilder", Frames: "Einzelbilder", Back: "Alle Serien", First: "Anfang", Previous: "Zurück", Next: "Weiter",
	Last: "Ende", Place: "Bild", Play: "Abspielen", Stop: "Anhalten", Reset: "Ganzes Bild", Windows: "Helligkeit und Kontrast", WindowOwn: "Wie gesendet", Download: "Herunterladen (DICOM)", Open: "Dokument öffnen",
	Help: "Ein Finger oder das Rad blättert, zwei Finger vergrößern, ein Tippen zeigt Helligkeit und Kontrast, zwei zeigen das ganze Bild.",
	Alt:  "%3-Bild %1 von %2", Empty: "keine Bilder", NoStudy: "Diese Untersuchung gibt es nicht, oder Sie dürfen sie nicht sehen.",
	CT:      [4]string{"Weichteile", "Lunge", "Knochen", "Hirn"},
	Kinds:   [8]string{"Bild", "Segmentierung", "Dokument", "Bericht", "Kurven", "Video", "Privates Objekt", "Objekt ohne Bild"},
	Layout:  "02.01.2006",
	WhyAway: "Das ist gerade nicht zu bekommen. Versuchen Sie es noch einmal.", WhyVideo: "Dies ist ein Video. Hier kann es nicht abgespielt werden; laden Sie es herunter.",
	WhyNothing: "Dieses Objekt enthält nichts, was hier zu sehen wäre.", WhyPrivate: "Dieses Objekt ist von einer Art, die sein Hersteller erdacht hat. Es kann hier nicht gezeigt werden.",
	WhyCut: "Es gibt noch mehr, das hier nicht gezeigt wird.", Elsewhere: "(nicht in dieser Untersuchung)",
	Labels: map[report.Label]string{
		report.Completion: "Vollständigkeit", report.Verification: "Bestätigung", report.VerifiedBy: "Bestätigt von", report.Image: "Bild", report.Waveform: "Kurve",
		report.Object: "Objekt", report.SeeItem: "Siehe Punkt", report.Region: "Bereich", report.TimeRange: "Zeitraum", report.Table: "Tabelle",
		report.Structures: "Strukturen", report.Contours: "Konturen", report.Plan: "Plan", report.Date: "Datum", report.Intent: "Absicht", report.Approval: "Freigabe",
		report.Description: "Beschreibung", report.Creator: "Erstellt von", report.Dose: "Verordnete Dosis", report.FractionGroup: "Fraktionsgruppe",
		report.Fractions: "Fraktionen", report.Beams: "Felder", report.Beam: "Feld", report.Radiation: "Strahlung", report.Energy: "Energie", report.Gantry: "Gantrywinkel",
		report.Meterset: "Monitoreinheiten", report.ControlPoints: "Kontrollpunkte", report.Presentation: "Darstellung", report.AppliesTo: "Gilt für",
		report.Annotation: "Beschriftung", report.Window: "Fenster",
	},
	WhyDocument: "Dieses Dokument ist von einer Art, die Browser nicht zeigen. Laden Sie es herunter.",
	Why: map[dicomweb.Code]string{
		dicomweb.CodeNoPicture: "Dieses Objekt hat keine Bilddaten.", dicomweb.CodeNoFrame: "Dieses Bild nennt mehr Einzelbilder, als es enthält.",
		dicomweb.CodeNoDecoder: "Dieses Bild ist als %s komprimiert, das hier noch nicht entpackt werden kann.", dicomweb.CodeDamaged: "Dieses Bild ist beschädigt: Seine Bilddaten lassen sich nicht entpacken.",
		dicomweb.CodeFrames: "Die Einzelbilder dieses Bildes lassen sich nicht voneinander trennen.", dicomweb.CodeUnusual: "Die Bildpunkte sind von einer Art, aus der hier kein Bild gemacht werden kann.",
		dicomweb.CodeVideo: "Dies ist ein Video. Hier kann es nicht abgespielt werden; laden Sie es herunter.", dicomweb.CodeDocument: "Dies ist ein Dokument und hat kein Bild.",
	},
}

// lightOf is the texts in the language of a browser.
func lightOf(r *http.Request) lightWords {
	if language(r).Lang == german.Lang {
		return lightGerman
	}
	return lightEnglish
}

// kind is what an object is, in a word.
func (l lightWords) kind(k kind) string { return l.Kinds[k] }

// day is a date as people write it.
func (l lightWords) day(text string) string {
	t, err := time.Parse("20060102", text)
	if err != nil {
		return clipped(text)
	}
	return t.Format(l.Layout)
}

// why is the sentence for a code of DICOMweb.
func (l lightWords) why(c dicomweb.Code, syntax string) string {
	sentence, ok := l.Why[c]
	switch {
	case !ok:
		return l.WhyAway
	case c == dicomweb.CodeNoDecoder:
		return fmt.Sprintf(sentence, syntaxName(syntax))
	}
	return sentence
}

// syntaxName is what a transfer syntax is called, without what stands in brackets.
func syntaxName(syntax string) string {
	name, _, _ := strings.Cut(uid.Name(syntax), " (")
	name, _, _ = strings.Cut(name, ",")
	return strings.TrimSuffix(name, " Image Compression")
}

// whys are the sentences for every code, for the script.
func (l lightWords) whys(syntax string) map[dicomweb.Code]string {
	out := map[dicomweb.Code]string{"": l.WhyAway}
	for c := range l.Why {
		out[c] = l.why(c, syntax)
	}
	return out
}

// alt says what a picture is, to who does not see it.
func (l lightWords) alt(modality string, at, of int) string {
	return strings.NewReplacer("%1", fmt.Sprint(at), "%2", fmt.Sprint(of), "%3", modality).Replace(l.Alt)
}
