import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { Pending } from '../../api/types';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { devices as own } from '../../words/devices';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Approve } from './Approve';
import { Connect } from './Connect';
import { Device } from './Device';

// Devices is the list, one of them, or the way to connect another, as the address says.
export default function Devices() {
  const [shows] = useFragment();
  const device = shows.get('device');
  if (device) return <Device key={device} aeTitle={device} />;
  return shows.get('connect') ? <Connect /> : <List />;
}

function List() {
  const t = useWords(own);
  const known = useListed('GET /api/v1/devices', {}, { on: ['devices'] });
  const pending = useListed('GET /api/v1/devices/pending', {}, { on: ['devices'] });
  const [approving, approve] = useState<Pending>();
  const api = useApi();
  const { act, problem } = useAct();
  const forget = (p: Pending) => void act(() => call(api, 'DELETE /api/v1/devices/pending/{id}', { path: { id: String(p.id) } }), t.forgot(p.callingAETitle)).then(pending.reload);
  const done = () => { approve(undefined); known.reload(); pending.reload(); };

  return (
    <Page title={t.title} actions={<Link to={address('devices', { connect: 'yes' })} kind="main">{t.connect}</Link>}>
      <Reason problem={problem} />
      <Loaded from={pending}>{items => items.length === 0 ? null : <section className="stack">
        <h2>{t.waiting(items.length)}</h2>
        <p className="quiet">{t.waitingMore}</p>
        <Table label={t.waiting(items.length)} rows={items} id={p => p.id} columns={[
          { id: 'title', name: t.aeTitle, head: true, cell: p => <b>{p.callingAETitle}</b> },
          { id: 'address', name: t.address, cell: p => <span className="mono">{p.address}</span> },
          { id: 'certificate', name: t.certificate, wide: true, cell: p => p.fingerprint ? <span className="mono">{p.fingerprint.slice(0, 16)}…</span> : t.noCertificate },
          { id: 'attempts', name: t.attempts, number: true, wide: true, cell: p => p.attempts },
          { id: 'last', name: t.last, wide: true, cell: p => <Time at={p.lastSeen} /> },
          { id: 'approve', name: t.approve, cell: p => <span className="row"><Button onPress={() => approve(p)}>{t.approve}</Button><Button kind="bare" onPress={() => forget(p)}>{t.forget}</Button></span> },
        ]} />
      </section>}</Loaded>

      <Loaded from={known} empty={<Empty title={t.none} next={<Link to={address('devices', { connect: 'yes' })} kind="main">{t.connect}</Link>}>{t.noneMore}</Empty>}>{items =>
        <Table label={t.title} rows={items} id={d => d.aeTitle} to={d => address('devices', { device: d.aeTitle })} columns={[
          { id: 'title', name: t.aeTitle, head: true, cell: d => <b>{d.aeTitle}</b>, by: d => d.aeTitle },
          { id: 'address', name: t.address, cell: d => <><span className="mono">{d.address ?? '–'}</span>{d.plaintextUntil && <> <Tag>{t.plaintext(d.plaintextUntil.slice(0, 10))}</Tag></>}</>, by: d => d.address ?? '' },
          { id: 'allow', name: t.allowed, cell: d => <span className="row">{d.allow.map(v => <Tag key={v}>{v}</Tag>)}</span> },
          { id: 'until', name: t.until, wide: true, cell: d => <Time at={d.certificates?.[0]?.notAfter} form="day" />, by: d => d.certificates?.[0]?.notAfter ?? '' },
          { id: 'made', name: t.made, wide: true, cell: d => <Time at={d.created} form="day" />, by: d => d.created },
        ]} />
      }</Loaded>
      {approving && <Approve caller={approving} close={() => approve(undefined)} done={done} />}
    </Page>
  );
}
