import { useState } from 'react';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { addressOf } from '../../api/routes';
import { useListed, useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { leave } from '../../leave';
import { useSession } from '../../session';
import { account as own } from '../../words/account';
import { common } from '../../words/common';
import { roles } from '../../words/roles';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Dialog, Ends } from '../../ui/Dialog';
import { Page } from '../../ui/Page';
import { Empty, Loaded, Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

export default function Account() {
  const t = useWords(own);
  const r = useWords(roles);
  const { session } = useSession();
  return (
    <Page title={t.title} more={session.role && t.role(named(r, session.role))}>
      <Sessions />
      <Passkeys />
      <Tokens />
    </Page>
  );
}

// useEnd takes one's own away and loads the list anew.
function useEnd(reload: () => void, done: string) {
  const api = useApi();
  const say = useSay();
  const [problem, setProblem] = useState<Problem>();
  const end = (path: string) => {
    setProblem(undefined);
    api.del(path).then(() => { say(done); reload(); }, (e: unknown) => setProblem(problemOf(e)));
  };
  return [end, problem] as const;
}

function Sessions() {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { session } = useSession();
  const list = useRoute('GET /api/v1/sessions');
  const [end, problem] = useEnd(list.reload, t.ended);
  const [sure, setSure] = useState(false);
  return (
    <section className="stack">
      <div className="row"><h2>{t.sessions}</h2><Button kind="danger" onPress={() => setSure(true)}>{t.endAll}</Button></div>
      <Reason problem={problem} />
      <Loaded from={list}>{items => <Table label={t.sessions} rows={items} id={s => s.id} columns={[
        { id: 'begun', name: t.begun, head: true, cell: s => <><Time at={s.created} /> {s.id === session.session && <Tag>{t.here}</Tag>}</> },
        { id: 'seen', name: t.seen, wide: true, cell: s => <Time at={s.seen} /> },
        { id: 'address', name: t.address, cell: s => <span className="mono">{s.address}</span> },
        { id: 'method', name: t.method, wide: true, cell: s => named(t.methods, s.method) },
        { id: 'end', name: t.end, cell: s => s.id === session.session ? '' : <Button onPress={() => end(addressOf('DELETE /api/v1/sessions/{id}', { path: { id: s.id } }))}>{t.end}</Button> },
      ]} />}</Loaded>
      {sure && <Dialog title={t.endAll} alert onClose={() => setSure(false)}>
        <p>{t.endAllMore}</p>
        <Ends>
          <Button onPress={() => setSure(false)}>{c.cancel}</Button>
          <Button kind="danger" onPress={() => { api.del('/sessions').then(() => leave('out'), () => setSure(false)); }}>{t.endAll}</Button>
        </Ends>
      </Dialog>}
    </section>
  );
}

function Passkeys() {
  const t = useWords(own);
  const list = useRoute('GET /api/v1/passkeys');
  const [end, problem] = useEnd(list.reload, t.removed);
  return (
    <section className="stack">
      <h2>{t.passkeys}</h2>
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noPasskeys}>{t.noPasskeysMore}</Empty>}>{items => <Table label={t.passkeys} rows={items} id={p => p.id} columns={[
        { id: 'name', name: t.name, head: true, cell: p => <>{p.name} {p.copied && <Tag>{t.copied}</Tag>}</> },
        { id: 'host', name: t.host, wide: true, cell: p => p.host },
        { id: 'used', name: t.used, cell: p => <Time at={p.used} /> },
        { id: 'end', name: t.remove, cell: p => <Button onPress={() => end(addressOf('DELETE /api/v1/passkeys/{id}', { path: { id: p.id } }))}>{t.remove}</Button> },
      ]} />}</Loaded>
    </section>
  );
}

function Tokens() {
  const t = useWords(own);
  const list = useListed('GET /api/v1/tokens');
  const [end, problem] = useEnd(list.reload, t.revoked);
  return (
    <section className="stack">
      <h2>{t.tokens}</h2>
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noTokens}>{t.noTokensMore}</Empty>}>{items => <Table label={t.tokens} rows={items} id={x => x.id} columns={[
        { id: 'token', name: t.token, head: true, cell: x => <span className="mono">{x.id}</span> },
        { id: 'allow', name: t.allowed, cell: x => <span className="row">{x.allow.map(v => <Tag key={v}>{v}</Tag>)}</span> },
        { id: 'until', name: t.until, cell: x => <Time at={x.expires} /> },
        { id: 'end', name: t.revoke, cell: x => x.revoked ? '–' : <Button onPress={() => end(addressOf('DELETE /api/v1/tokens/{id}', { path: { id: x.id } }))}>{t.revoke}</Button> },
      ]} />}</Loaded>
    </section>
  );
}
