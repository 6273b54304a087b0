import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { DeviceDetail, Echo } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useLanguage, useWords } from '../../language';
import { address, navigate } from '../../route';
import { useSession } from '../../session';
import { devices as own } from '../../words/devices';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Confirm } from '../../ui/Confirm';
import { Facts } from '../../ui/Facts';
import { Link } from '../../ui/Link';
import { Bytes, Count } from '../../ui/Numbers';
import { Page } from '../../ui/Page';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Change } from './Change';
import { Lines } from './Lines';
import { targetOf } from './lines';
import { Renew } from './Renew';
import { Waiting } from './Waiting';

// Device is one that is registered: what it may, what it stored, whether it answers.
export function Device({ aeTitle }: { aeTitle: string }) {
  const t = useWords(own);
  const api = useApi();
  const device = useRoute('GET /api/v1/devices/{aet}', { path: { aet: aeTitle } }, { on: ['devices', 'studies'] });
  const connection = useRoute('GET /api/v1/connection');
  const [open, setOpen] = useState<'change' | 'renew' | 'remove'>();
  const close = () => { setOpen(undefined); device.reload(); };
  return (
    <Page title={aeTitle} actions={<>
      <Link to={address('devices')} kind="plain">{t.back}</Link>
      <Button onPress={() => setOpen('change')}>{t.change}</Button>
      <Button onPress={() => setOpen('renew')}>{t.renew}</Button>
      <Button kind="danger" onPress={() => setOpen('remove')}>{t.remove}</Button>
    </>}>
      <Loaded from={device}>{d => <>
        <Known device={d} />
        <Answers device={d} />
        <Certificates device={d} />
        {!d.lastSeen && <Waiting aeTitle={aeTitle} />}
        {connection.data && <Lines connection={connection.data} target={targetOf(connection.data, aeTitle, d.plaintextUntil ? 'plain' : d.noCertificateUntil ? 'nocert' : 'certificate')} />}
        {open === 'change' && <Change device={d} close={close} />}
        {open === 'renew' && <Renew aeTitle={aeTitle} close={close} />}
        {open === 'remove' && <Confirm title={t.removeTitle(aeTitle)} go={t.remove} done={t.removed(aeTitle)} close={close}
          act={async () => { await call(api, 'DELETE /api/v1/devices/{aet}', { path: { aet: aeTitle } }); navigate(address('devices')); }}><p>{t.removeMore}</p></Confirm>}
      </>}</Loaded>
    </Page>
  );
}

function Known({ device: d }: { device: DeviceDetail }) {
  const t = useWords(own);
  const { can } = useSession();
  return (
    <section className="stack panel">
      <Facts of={[
        [t.allowed, <span className="row">{d.allow.map(v => <Tag key={v}>{named(t.verbs, v)}</Tag>)}</span>],
        [t.address, <><span className="mono">{d.address ?? '–'}</span> {d.plaintextUntil && <Tag>{t.plaintext(d.plaintextUntil.slice(0, 10))}</Tag>}</>],
        [t.sends, d.moveTo?.join(', ') || '–'],
        [t.lastSeen, d.lastSeen ? <Time at={d.lastSeen} /> : t.notSeen],
        [t.lastStored, <Time at={d.stored.last} />],
        [t.made, <Time at={d.created} form="day" />],
      ]} />
      <h2>{t.stored}</h2>
      <Facts of={[
        [t.studies, <>{d.stored.atLeast && `${t.atLeast} `}<Count of={d.stored.studies} /></>], [t.instances, <Count of={d.stored.instances} />], [t.bytes, <Bytes of={d.stored.bytes} />],
      ]} />
      <p className="quiet small">{t.storedMore} {can('query') && d.stored.studies > 0 && <Link to={address('studies', { source: d.aeTitle })}>{t.showStudies}</Link>}</p>
    </section>
  );
}

// Answers sends a C-ECHO to the device when it is asked to.
function Answers({ device: d }: { device: DeviceDetail }) {
  const t = useWords(own);
  const api = useApi();
  const { locale } = useLanguage();
  const { act, busy, problem } = useAct();
  const [echo, setEcho] = useState<Echo>();
  const send = () => void act(async () => setEcho(await call(api, 'POST /api/v1/devices/{aet}/echo', { path: { aet: d.aeTitle } })));
  return (
    <section className="stack panel">
      <h2>{t.echo}</h2>
      {d.listen ? <div className="row"><Button onPress={send} isDisabled={busy}>{t.echo}</Button><span className="mono">{d.listen}</span></div> : <p className="quiet">{t.noListen}</p>}
      <div role="status">{echo && <p>{echo.answered ? t.echoed(new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(echo.milliseconds)) : named(t.echoWhy, echo.why ?? 'other')}</p>}</div>
      <Reason problem={problem} />
    </section>
  );
}

function Certificates({ device: d }: { device: DeviceDetail }) {
  const t = useWords(own);
  const rows = d.certificates ?? [];
  const left = (until: string) => Math.floor((new Date(until).getTime() - Date.now()) / 86_400_000);
  if (rows.length === 0) return <Empty title={t.noCertificates} />;
  return (
    <section className="stack">
      <h2>{t.certificates}</h2>
      <Table label={t.certificates} rows={rows} id={x => x.fingerprint} columns={[
        { id: 'print', name: t.fingerprint, head: true, cell: x => <span className="mono">{x.fingerprint.slice(0, 16)}…</span> },
        { id: 'subject', name: t.subject, wide: true, cell: x => x.subject },
        { id: 'until', name: t.until, cell: x => <><Time at={x.notAfter} form="day" /> <Tag>{t.days(left(x.notAfter))}</Tag></> },
        { id: 'weak', name: t.weakness, wide: true, cell: x => x.weakness ?? '–' },
      ]} />
    </section>
  );
}
