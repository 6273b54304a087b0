import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { Invited, PersonDetail } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { useSession } from '../../session';
import { account } from '../../words/account';
import { people as own } from '../../words/people';
import { roles } from '../../words/roles';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Confirm } from '../../ui/Confirm';
import { Facts } from '../../ui/Facts';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';
import { NewPassword, Role } from './Dialogs';
import { OneTime } from './OneTime';

// Person is one with what leads to a session, what was granted, and how they are let in no more.
export function Person({ name }: { name: string }) {
  const t = useWords(own);
  const api = useApi();
  const { session } = useSession();
  const person = useRoute('GET /api/v1/people/{name}', { path: { name } }, { on: ['people'] });
  const { act, busy, problem } = useAct();
  const [open, setOpen] = useState<'role' | 'link' | 'disable' | 'out'>();
  const [link, setLink] = useState<Invited>();
  const close = () => { setOpen(undefined); person.reload(); };
  const path = { path: { name } };
  const enable = () => void act(async () => setLink(await call(api, 'POST /api/v1/people/{name}/enable', path)));
  const self = name === session.name;
  return (
    <Page title={name} actions={<>
      <Link to={address('people')} kind="plain">{t.back}</Link>
      {person.data && (person.data.disabled ? <Button kind="main" isDisabled={busy} onPress={enable}>{t.enable}</Button> : <>
        {!self && <Button onPress={() => setOpen('role')}>{t.change}</Button>}
        <Button onPress={() => setOpen('link')}>{t.link}</Button>
        {!self && <Button onPress={() => setOpen('out')}>{t.signOut}</Button>}
        {!self && <Button kind="danger" onPress={() => setOpen('disable')}>{t.disable}</Button>}
      </>)}
    </>}>
      <Reason problem={problem} />
      <Loaded from={person}>{p => <>
        <Known person={p} />
        <Grants person={p} changed={person.reload} />
        <Sessions person={p} />
        {open === 'role' && <Role person={p} close={close} />}
        {open === 'link' && <NewPassword name={name} close={() => setOpen(undefined)} made={x => { setOpen(undefined); setLink(x); }} />}
        {open === 'disable' && <Confirm title={t.disableTitle(name)} go={t.disable} done={t.disabledNow(name)} close={close} act={() => call(api, 'POST /api/v1/people/{name}/disable', path)}><p>{t.disableMore}</p></Confirm>}
        {open === 'out' && <Confirm title={t.signOutTitle(name)} go={t.signOut} done={t.signedOut(name)} close={close} act={() => call(api, 'DELETE /api/v1/people/{name}/sessions', path)}><p>{t.signOutMore}</p></Confirm>}
      </>}</Loaded>
      {link && <OneTime link={link} close={() => { setLink(undefined); person.reload(); }} />}
    </Page>
  );
}

function Known({ person: p }: { person: PersonDetail }) {
  const t = useWords(own);
  const r = useWords(roles);
  const { totp, passkeys, recoveryCodes } = p.factors;
  const factors = [totp && t.app, passkeys > 0 && t.passkeys(passkeys), recoveryCodes > 0 && t.codes(recoveryCodes)].filter(x => x);
  return (
    <section className="panel"><Facts of={[
      [t.role, named(r, p.role)], [t.state, p.disabled ? <>{t.disabled} (<Time at={p.disabled} />)</> : t.active], [t.factors, factors.join(', ') || t.noFactor],
      [t.made, <Time at={p.created} form="day" />],
      ...(p.identityProviders?.length ? [[t.providers, p.identityProviders.join(', ')] as const] : []), ...(p.groups?.length ? [[t.groups, p.groups.join(', ')] as const] : []),
    ]} /></section>
  );
}

function Grants({ person: p, changed }: { person: PersonDetail; changed: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [study, setStudy] = useState('');
  const grant = (e: FormEvent) => {
    e.preventDefault();
    void act(() => call(api, 'POST /api/v1/people/{name}/studies', { path: { name: p.name }, body: { study: study.trim() } }), t.granted).then(ok => { if (ok) { setStudy(''); changed(); } });
  };
  const take = (of: string) => void act(() => call(api, 'DELETE /api/v1/people/{name}/studies/{study}', { path: { name: p.name, study: of } }), t.taken).then(changed);
  const rows: { study: string; group?: string }[] = [...(p.studies ?? []).map(s => ({ study: s })), ...(p.studiesByGroup ?? [])];
  return (
    <section className="stack">
      <h2>{t.grants}</h2>
      <p className="quiet">{t.grantsMore}</p>
      {rows.length === 0 ? <Empty title={t.noGrants} /> : <Table label={t.grants} rows={rows} id={x => `${x.study} ${x.group ?? ''}`} columns={[
        { id: 'study', name: t.studies, head: true, cell: x => <span className="mono">{x.study}</span> },
        { id: 'take', name: t.take, cell: x => x.group ? <Tag>{t.byGroup(x.group)}</Tag> : <Button isDisabled={busy} onPress={() => take(x.study)}>{t.take}</Button> },
      ]} />}
      <form className="panel stack" onSubmit={grant}>
        <TextField label={t.study} value={study} onChange={setStudy} isRequired maxLength={128} autoComplete="off" />
        <Reason problem={problem} />
        <div className="row"><Button type="submit" isDisabled={busy}>{t.grant}</Button></div>
      </form>
    </section>
  );
}

function Sessions({ person: p }: { person: PersonDetail }) {
  const t = useWords(own);
  const a = useWords(account);
  return (
    <section className="stack">
      <h2>{t.sessions}</h2>
      {p.sessions.length === 0 ? <Empty title={t.noSessions} /> : <Table label={t.sessions} rows={p.sessions} id={s => s.id} columns={[
        { id: 'begun', name: t.begun, head: true, cell: s => <Time at={s.created} /> },
        { id: 'seen', name: t.seen, wide: true, cell: s => <Time at={s.seen} /> },
        { id: 'address', name: t.address, cell: s => <span className="mono">{s.address}</span> },
        { id: 'method', name: t.method, wide: true, cell: s => named(a.methods, s.method) },
      ]} />}
    </section>
  );
}
