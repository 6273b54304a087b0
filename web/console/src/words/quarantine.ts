import { words } from './words';

export const quarantine = words({
  en: {
    title: 'Quarantine', more: 'What contradicts what is stored, or holds what does not belong there. Nobody gets it until somebody has looked.',
    waiting: (n: number) => n === 1 ? '1 object is held back' : `${n} objects are held back`,
    none: 'Nothing is held back', noneMore: 'An object appears here when it contradicts what is stored, or when the inspection finds a program or a script in it.',
    reason: 'Why', from: 'From', received: 'Received', times: 'Times', size: 'Size', kind: 'Kind', study: 'Study', back: 'All that is held back', number: (n: number | string) => `Number ${n}`,
    reasons: {
      'different-content': 'Another content is stored under the same SOP Instance UID', 'other-patient': 'Its study belongs to another patient', 'other-study': 'Its series belongs to another study',
      'other-content-at-route': 'Another content went through this route under the same SOP Instance UID', 'other-patient-at-route': 'Its study went through this route as another patient’s', 'other-study-at-route': 'Its series went through this route in another study',
      suspicious: 'The inspection found what does not belong there', replaced: 'It was stored, and gave way to one that was released',
    },
    found: 'What was found', nothingFound: 'The inspection is not why it is held back.', instance: 'SOP Instance UID', sopClass: 'SOP Class UID', digest: 'SHA-256', stored: 'SHA-256 of what is stored', by: 'Let in as', address: 'Address', last: 'Last received', route: 'Route of the gate',
    notDrawn: 'It is not drawn here: what does not belong in it could harm who looks. Its file can be looked into elsewhere, with care.',
    file: 'Save its file', release: 'Release', releaseTitle: 'Take it in after all?', releaseMore: 'It takes the place of what is stored under its UID, where there is something: that is held back in its stead. Whoever may see the study sees it.', releaseRoute: 'The route lets it through when its device sends it again.', released: 'It is released.',
    destroy: 'Destroy', destroyTitle: 'Destroy it?', destroyMore: 'Its file is gone for good. That it was, and who decided, stays in the audit log.', destroyed: 'It is destroyed.',
  },
  de: {
    title: 'Quarantäne', more: 'Was dem Gespeicherten widerspricht oder enthält, was nicht hineingehört. Niemand bekommt es, bis jemand hingesehen hat.',
    waiting: (n: number) => n === 1 ? '1 Objekt wird zurückgehalten' : `${n} Objekte werden zurückgehalten`,
    none: 'Nichts wird zurückgehalten', noneMore: 'Ein Objekt erscheint hier, wenn es dem Gespeicherten widerspricht oder die Prüfung ein Programm oder Skript darin findet.',
    reason: 'Warum', from: 'Von', received: 'Empfangen', times: 'Male', size: 'Größe', kind: 'Art', study: 'Studie', back: 'Alles Zurückgehaltene', number: (n: number | string) => `Nummer ${n}`,
    reasons: {
      'different-content': 'Unter derselben SOP Instance UID ist ein anderer Inhalt gespeichert', 'other-patient': 'Seine Studie gehört zu einer anderen Person', 'other-study': 'Seine Serie gehört zu einer anderen Studie',
      'other-content-at-route': 'Ein anderer Inhalt ging unter derselben SOP Instance UID durch diese Route', 'other-patient-at-route': 'Seine Studie ging durch diese Route als die einer anderen Person', 'other-study-at-route': 'Seine Serie ging durch diese Route in einer anderen Studie',
      suspicious: 'Die Prüfung hat gefunden, was nicht hineingehört', replaced: 'Es war gespeichert und ist einem freigegebenen gewichen',
    },
    found: 'Was gefunden wurde', nothingFound: 'Es wird nicht wegen der Prüfung zurückgehalten.', instance: 'SOP Instance UID', sopClass: 'SOP Class UID', digest: 'SHA-256', stored: 'SHA-256 des Gespeicherten', by: 'Eingelassen als', address: 'Adresse', last: 'Zuletzt empfangen', route: 'Route des Gates',
    notDrawn: 'Es wird hier nicht gezeichnet: Was nicht hineingehört, könnte schaden. Die Datei lässt sich anderswo ansehen, mit Vorsicht.',
    file: 'Datei speichern', release: 'Freigeben', releaseTitle: 'Doch annehmen?', releaseMore: 'Es tritt an die Stelle dessen, was unter seiner UID gespeichert ist, wo etwas ist: Das wird stattdessen zurückgehalten. Wer die Studie sehen darf, sieht es.', releaseRoute: 'Die Route lässt es durch, wenn sein Gerät es noch einmal sendet.', released: 'Es ist freigegeben.',
    destroy: 'Vernichten', destroyTitle: 'Vernichten?', destroyMore: 'Die Datei ist endgültig weg. Dass es sie gab und wer entschieden hat, bleibt im Prüfprotokoll.', destroyed: 'Es ist vernichtet.',
  },
});
