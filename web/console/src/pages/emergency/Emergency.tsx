import { useState, type FormEvent } from 'react';
import { useWords } from '../../language';
import { emergency as own } from '../../words/emergency';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Page } from '../../ui/Page';
import { Empty } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { imagesOf, studiesOf, text, type DataSet } from './dicomweb';
import { Images } from './Images';

// Emergency lets somebody see a study that was not granted, with a reason and an alarm. Nothing of it stands in the
// address: it is gone when the page is left.
export default function Emergency() {
  const t = useWords(own);
  const [asked, ask] = useState<{ reason: string; studies: DataSet[] }>();
  const [open, setOpen] = useState<DataSet[]>();
  const [refused, setRefused] = useState(false);
  const look = (study: string) => {
    if (!asked) return;
    setRefused(false);
    imagesOf(study, asked.reason).then(setOpen, () => setRefused(true));
  };
  return (
    <Page title={t.title} more={t.more}>
      <Ask found={(reason, studies) => { setOpen(undefined); ask({ reason, studies }); }} />
      {refused && <p className="reason" role="alert">{t.refused}</p>}
      {asked && (asked.studies.length === 0 ? <Empty title={t.none}>{t.noneMore}</Empty> : (
        <section className="stack">
          <h2>{t.studies}</h2>
          <Table label={t.studies} rows={asked.studies} id={s => text(s, '0020000D')} columns={[
            { id: 'date', name: t.date, head: true, cell: s => day(text(s, '00080020')), by: s => text(s, '00080020') },
            { id: 'description', name: t.description, cell: s => text(s, '00081030') || '–' },
            { id: 'modality', name: t.modality, wide: true, cell: s => (s['00080061']?.Value ?? []).join(', ') },
            { id: 'images', name: t.images, number: true, wide: true, cell: s => text(s, '00201208') },
            { id: 'open', name: t.open, cell: s => <Button onPress={() => look(text(s, '0020000D'))}>{t.open}</Button> },
          ]} />
        </section>
      ))}
      {asked && open && open.length > 0 && <Images key={text(open[0] ?? {}, '0020000D')} images={open} reason={asked.reason} />}
    </Page>
  );
}

const day = (d: string) => d.length === 8 ? `${d.slice(0, 4)}-${d.slice(4, 6)}-${d.slice(6)}` : '–';

// A header of a request holds these characters alone.
const latin = /^[\x20-\x7e\xa0-\xff]*$/;

function Ask({ found }: { found: (reason: string, studies: DataSet[]) => void }) {
  const t = useWords(own);
  const [reason, setReason] = useState('');
  const [patient, setPatient] = useState('');
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState(false);
  const bad = !latin.test(reason);
  const send = (e: FormEvent) => {
    e.preventDefault();
    if (bad) return;
    setBusy(true);
    setRefused(false);
    studiesOf(patient.trim(), reason.trim()).then(list => found(reason.trim(), list), () => setRefused(true)).finally(() => setBusy(false));
  };
  return (
    <form className="panel stack" onSubmit={send}>
      <TextField label={t.reason} help={t.reasonMore} value={reason} onChange={setReason} isRequired minLength={5} maxLength={200} autoComplete="off" error={bad ? t.badReason : undefined} />
      <TextField label={t.patientID} value={patient} onChange={setPatient} isRequired maxLength={64} autoComplete="off" />
      <Checkbox isSelected={sure} onChange={setSure}>{t.understood}</Checkbox>
      {refused && <p className="reason" role="alert">{t.refused}</p>}
      <div className="row"><Button kind="danger" type="submit" isDisabled={busy || !sure}>{t.find}</Button></div>
    </form>
  );
}
