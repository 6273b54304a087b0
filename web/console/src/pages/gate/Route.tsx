import { useApi } from '../../api/Api';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useRoute } from '../../api/useRoute';
import type { RouteDetail } from '../../api/openapi';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { gate as own } from '../../words/gate';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { CopyLine } from '../../ui/CopyLine';
import { Facts } from '../../ui/Facts';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { Loaded, Reason } from '../../ui/State';
import { Tabs } from '../../ui/Tabs';
import { Learn } from './Learn';
import { Patches } from './Patches';
import { Queue } from './Queue';
import { useRouteState } from './state';

const parts = ['says', 'learn', 'queue', 'patches'] as const;

// Route is one route: what it lets through, and what is done to it.
export function Route({ name }: { name: string }) {
  const t = useWords(own);
  const api = useApi();
  const [shows, show] = useFragment();
  const route = useRoute('GET /api/v1/gate/routes/{name}', { path: { name } }, { on: ['gate', 'devices'] });
  const { act, busy, problem } = useAct();
  const path = { path: { name } };
  // Closing is not asked about: it can be undone, and is wanted in a hurry.
  const shut = (closed: boolean) => void act(
    () => closed ? call(api, 'POST /api/v1/gate/routes/{name}/close', path) : call(api, 'POST /api/v1/gate/routes/{name}/reopen', path),
    closed ? t.closeNow(name) : t.reopened(name),
  ).then(route.reload);
  const chosen = parts.find(p => p === shows.get('part')) ?? 'says';
  return (
    <Page title={name} actions={<>
      <Link to={address('gate')} kind="plain">{t.back}</Link>
      {route.data && (route.data.closed
        ? <Button kind="main" isDisabled={busy} onPress={() => shut(false)}>{t.reopen}</Button>
        : <Button kind="danger" isDisabled={busy} onPress={() => shut(true)}>{t.close}</Button>)}
    </>}>
      <Reason problem={problem} />
      <Loaded from={route}>{r =>
        <Tabs label={t.parts} selected={chosen} onChange={p => show('part', p === 'says' ? undefined : p)} parts={[
          { id: 'says', name: t.tabs.says, content: () => <Says route={r} /> },
          ...(r.ruled ? [{ id: 'learn' as const, name: t.tabs.learn, content: () => <Learn route={r} changed={route.reload} /> }] : []),
          { id: 'queue', name: t.tabs.queue, content: () => <Queue route={r} /> },
          ...(r.patched ? [{ id: 'patches' as const, name: t.tabs.patches, content: () => <Patches route={r.name} /> }] : []),
        ]} />
      }</Loaded>
    </Page>
  );
}

function Says({ route: r }: { route: RouteDetail }) {
  const t = useWords(own);
  const state = useRouteState();
  return (
    <div className="stack">
      <section className="panel"><Facts of={[[t.state, state(r)], [t.kind, named(t.kinds, r.kind)], [t.leads, <span className="mono">{r.leadsTo}</span>], [t.as, r.callsItAs || '–']]} /></section>
      <section className="panel stack">
        <h2>{t.says}</h2>
        <ul className="stack">{r.says.map(s => <li key={s}>{s}</li>)}</ul>
        {r.remarks.length > 0 && <ul className="stack">{r.remarks.map(m => <li key={m.text}><Tag>{named(t.remarks, m.kind)}</Tag> {m.text}</li>)}</ul>}
      </section>
      <section className="stack"><h2>{t.block}</h2><CopyLine text={r.block} /></section>
    </div>
  );
}
