import { useState, type FormEvent } from 'react';
import { useWords } from '../../language';
import { address, navigate, useFragment } from '../../route';
import { useSession } from '../../session';
import { accesses as own } from '../../words/accesses';
import { Button } from '../../ui/Button';
import { Chips } from '../../ui/Chips';
import { Page } from '../../ui/Page';
import { TextField } from '../../ui/TextField';
import { List } from './List';

// Accesses is who saw studies of a patient, or one study. What is asked for stands behind '#'.
export default function Accesses() {
  const t = useWords(own);
  const [shows] = useFragment();
  const { can } = useSession();
  const [patient, issuer, study] = [shows.get('patient') ?? '', shows.get('issuer') ?? '', shows.get('study') ?? ''];
  return (
    <Page title={t.title} more={t.more}>
      <Ask key={shows.toString()} patient={patient} issuer={issuer} study={study} />
      {patient && can('audit') ? <List key={shows.toString()} patient={patient} issuer={issuer} /> : study ? <List key={shows.toString()} study={study} /> : null}
    </Page>
  );
}

function Ask({ patient, issuer, study }: { patient: string; issuer: string; study: string }) {
  const t = useWords(own);
  const { can } = useSession();
  const [by, setBy] = useState<'patient' | 'study'>(study || !can('audit') ? 'study' : 'patient');
  const [id, setID] = useState(patient);
  const [from, setFrom] = useState(issuer);
  const [uid, setUID] = useState(study);
  const send = (e: FormEvent) => {
    e.preventDefault();
    navigate(address('accesses', by === 'patient' ? { patient: id, issuer: from } : { study: uid.trim() }));
  };
  return (
    <form className="panel stack unprinted" onSubmit={send}>
      {can('audit') && <Chips label={t.by} always options={[['patient', t.patient], ['study', t.study]]} value={by} onChange={x => { if (x) setBy(x); }} />}
      {by === 'patient' ? <>
        <TextField label={t.patientID} value={id} onChange={setID} isRequired maxLength={256} autoComplete="off" />
        <TextField label={t.issuer} value={from} onChange={setFrom} maxLength={256} autoComplete="off" />
      </> : <TextField label={t.studyUID} value={uid} onChange={setUID} isRequired maxLength={64} autoComplete="off" />}
      <p className="quiet small">{t.onlyHere}</p>
      <div className="row"><Button kind="main" type="submit">{t.show}</Button></div>
    </form>
  );
}
