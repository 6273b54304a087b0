import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { Connection, Enrolled, NewDevice } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { useSession } from '../../session';
import { common } from '../../words/common';
import { devices as own } from '../../words/devices';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { Select } from '../../ui/Select';
import { Empty, Loaded, Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { Files } from './Files';
import { targetOf, type Way } from './lines';
import { Lines } from './Lines';
import { Rights } from './Rights';
import { Waiting } from './Waiting';
import './Connect.css';

const kinds = ['modality', 'workstation', 'pacs', 'nocert', 'plain', 'gate'] as const;
type Kind = typeof kinds[number];

const usual: Record<Kind, string[]> = {
  modality: ['echo', 'store', 'commit'], workstation: ['echo', 'query', 'retrieve'], pacs: ['echo', 'store', 'query', 'retrieve', 'commit'],
  nocert: ['echo', 'store'], plain: ['echo', 'store'], gate: ['echo', 'store', 'commit'],
};

const wayOf = (kind: Kind): Way => kind === 'nocert' || kind === 'plain' ? kind : 'certificate';

// Connect leads from the kind of a device over its entry here to what is typed in there, and to its first call.
export function Connect() {
  const t = useWords(own);
  const [shows] = useFragment();
  const { can } = useSession();
  const kind = kinds.find(k => k === shows.get('kind'));
  const connection = useRoute('GET /api/v1/connection');
  const [made, setMade] = useState<{ kind: Kind; called: string | undefined; enrolled: Enrolled }>();
  const back = <Link to={address('devices')} kind="plain">{made ? t.done : t.back}</Link>;
  if (made) {
    const title = made.enrolled.device.aeTitle;
    return (
      <Page title={t.registered(title)} actions={back}>
        {made.enrolled.files && <Files aeTitle={title} files={made.enrolled.files} />}
        <Loaded from={connection}>{c => <Lines connection={c} target={targetOf(c, title, wayOf(made.kind), made.called)} />}</Loaded>
        <Waiting aeTitle={title} />
      </Page>
    );
  }
  return (
    <Page title={t.connect} actions={back}>
      <h2>{t.kind}</h2>
      <ul className="kinds">
        {kinds.filter(k => k !== 'gate' || can('configure')).map(k => (
          <li key={k}><Link to={address('devices', { connect: 'yes', kind: k })} kind="plain"><span className="stack"><b>{t.kinds[k]}</b><span className="small">{t.kindsMore[k]}</span></span></Link></li>
        ))}
      </ul>
      {kind && <Loaded from={connection}>{c => kind === 'gate'
        ? <Behind connection={c} made={(called, enrolled) => setMade({ kind, called, enrolled })} />
        : <Form key={kind} kind={kind} connection={c} made={enrolled => setMade({ kind, called: undefined, enrolled })} />}</Loaded>}
    </Page>
  );
}

// Behind asks for the route first.
function Behind({ connection, made }: { connection: Connection; made: (route: string, enrolled: Enrolled) => void }) {
  const t = useWords(own);
  const routes = useRoute('GET /api/v1/gate/routes', {}, { on: ['gate'] });
  const [route, setRoute] = useState<string>();
  return <Loaded from={routes}>{({ items }) => items.length === 0
    ? <Empty title={t.needsGate} next={<CopyLine text="collimator gate add PACS --protect AETITLE@HOST:PORT --dry-run" />}>{t.needsGateMore}</Empty>
    : <>
      <Select label={t.route} options={items.map(r => [r.name, `${r.name}: ${r.leadsTo}`] as const)} value={route} onChange={setRoute} />
      {route && <Form kind="gate" connection={connection} made={e => made(route, e)} />}
    </>}</Loaded>;
}

function Form({ kind, connection, made }: { kind: Kind; connection: Connection; made: (enrolled: Enrolled) => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [title, setTitle] = useState('');
  const [from, setFrom] = useState('');
  const [listen, setListen] = useState('');
  const [until, setUntil] = useState('');
  const [certificate, setCertificate] = useState('');
  const [allow, setAllow] = useState(usual[kind]);
  const way = wayOf(kind);

  const send = (e: FormEvent) => {
    e.preventDefault();
    const body: NewDevice = {
      aeTitle: title, allow, ...(from && { address: from }), ...(listen && { listen }), ...(certificate && { certificate }),
      ...(way === 'plain' && { plaintextUntil: until }), ...(way === 'nocert' && { noCertificateUntil: until }),
    };
    void act(async () => made(await call(api, 'POST /api/v1/devices', { body })), t.registered(title));
  };
  return (
    <form className="stack panel" onSubmit={send}>
      <h2>{t.kinds[kind]}</h2>
      <TextField label={t.aeTitle} value={title} onChange={setTitle} isRequired maxLength={16} autoFocus autoComplete="off" />
      <TextField label={way === 'certificate' ? t.anyAddress : t.oneAddress} value={from} onChange={setFrom} isRequired={way !== 'certificate'} autoComplete="off" placeholder="192.168.1.40" />
      {way !== 'certificate' && <TextField label={t.untilDay} value={until} onChange={setUntil} isRequired pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}" />}
      {(kind === 'workstation' || kind === 'pacs') && <TextField label={t.listen} help={t.listenMore} value={listen} onChange={setListen} autoComplete="off" placeholder="192.168.1.20:2762" />}
      {way === 'certificate' && <TextField label={t.ownCertificate} help={t.ownCertificateMore} lines={3} value={certificate} onChange={setCertificate} />}
      <Rights allow={allow} change={setAllow} />
      {way === 'plain' && !connection.plain && <p className="reason">{t.noPlain}</p>}
      <Reason problem={problem} />
      <div className="ends"><Link to={address('devices')} kind="plain">{c.cancel}</Link><Button kind="main" type="submit" isDisabled={busy}>{t.register}</Button></div>
    </form>
  );
}
