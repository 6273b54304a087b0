import { useEffect, useState } from 'react';
import type { Access } from '../../api/openapi';
import { useListed } from '../../api/useRoute';
import { useLanguage, useWords } from '../../language';
import { accesses as own } from '../../words/accesses';
import { audit } from '../../words/audit';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Count } from '../../ui/Numbers';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import './Accesses.css';

// List reads all of it: what is printed has to be complete.
export function List({ patient, issuer, study }: { patient?: string; issuer?: string; study?: string }) {
  const t = useWords(own);
  const a = useWords(audit);
  const { locale } = useLanguage();
  const [now] = useState(() => new Date());
  const ofPatient = useListed('GET /api/v1/patients/accesses', { query: { ...(patient && { patientID: patient }), ...(issuer && { issuer }), limit: '500' } }, { off: !patient });
  const ofStudy = useListed('GET /api/v1/studies/{uid}/accesses', { path: { uid: study ?? '' }, query: { limit: '500' } }, { off: !study });
  const list = patient ? ofPatient : ofStudy;
  const { more, loading, problem } = list;
  useEffect(() => { if (more && !loading && !problem) more(); }, [more, loading, problem]);
  const what = (x: Access) => x.did ? named(t.deeds, x.did) : named(a.events, x.event);
  return (
    <section className="stack">
      <Loaded from={list}>{items => {
        if (more) return <p role="status">{t.loading(items.length)}</p>;
        if (items.length === 0) return <Empty title={t.none}>{t.noneMore}</Empty>;
        return <>
          <h2>{patient ? t.ofPatient(patient) : t.ofStudy(study ?? '')}</h2>
          <div className="row"><span>{t.all(items.length)}. {t.made(new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }).format(now))}</span>
            <span className="unprinted"><Button onPress={() => print()}>{t.print}</Button></span></div>
          <Table label={t.title} rows={items} id={x => x.sequence} columns={[
            { id: 'time', name: t.time, cell: x => <Time at={x.time} form="exact" />, by: x => x.time },
            { id: 'did', name: t.did, head: true, cell: x => <>{what(x)}{x.outcome !== 0 && `, ${t.refused}`}{x.reason && <div className="quiet small">{x.reason}</div>}</> },
            { id: 'who', name: t.who, cell: x => <>{x.principal}{x.kind && ` (${named(t.kinds, x.kind)})`}{x.person && x.person !== x.principal && <div className="quiet small">{t.person(x.person)}</div>}</>, by: x => x.principal },
            { id: 'door', name: t.door, wide: true, cell: x => <>{named(a.doors, x.door ?? '')}<div className="mono">{x.address}</div></> },
            { id: 'study', name: t.of, wide: true, cell: x => <span className="mono">{x.study ?? '–'}</span> },
            { id: 'images', name: t.images, number: true, wide: true, cell: x => x.instances ? <Count of={x.instances} /> : '–', by: x => x.instances ?? 0 },
          ]} />
        </>;
      }}</Loaded>
    </section>
  );
}
