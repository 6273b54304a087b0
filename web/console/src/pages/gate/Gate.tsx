import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { useSession } from '../../session';
import { gate as own } from '../../words/gate';
import { named } from '../../words/words';
import { CopyLine } from '../../ui/CopyLine';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Tabs } from '../../ui/Tabs';
import { Doors } from './Doors';
import { Route } from './Route';
import { useRouteState } from './state';

const parts = ['routes', 'doors'] as const;

// Gate is the list of routes with the doors for maintenance, or one of the routes.
export default function Gate() {
  const t = useWords(own);
  const { can } = useSession();
  const [shows, show] = useFragment();
  const route = shows.get('route');
  if (route) return <Route key={route} name={route} />;
  const part = parts.find(p => p === shows.get('part')) ?? 'routes';
  return (
    <Page title={t.title} more={t.more}>
      <Tabs label={t.parts} selected={part} onChange={p => show('part', p === 'routes' ? undefined : p)} parts={[
        { id: 'routes', name: t.routes, content: () => <List /> },
        ...(can('doors') ? [{ id: 'doors' as const, name: t.doors, content: () => <Doors /> }] : []),
      ]} />
    </Page>
  );
}

function List() {
  const t = useWords(own);
  const state = useRouteState();
  const list = useListed('GET /api/v1/gate/routes', {}, { on: ['gate'] });
  return (
    <Loaded from={list} empty={<Empty title={t.none} next={<CopyLine text="collimator gate add PACS --protect AETITLE@HOST:PORT --dry-run" />}>{t.noneMore}</Empty>}>{items =>
      <Table label={t.title} rows={items} id={r => r.name} to={r => address('gate', { route: r.name })} columns={[
        { id: 'name', name: t.name, head: true, cell: r => <b>{r.name}</b>, by: r => r.name },
        { id: 'leads', name: t.leads, cell: r => <span className="mono">{r.leadsTo}</span>, by: r => r.leadsTo },
        { id: 'kind', name: t.kind, wide: true, cell: r => named(t.kinds, r.kind), by: r => r.kind },
        { id: 'granted', name: t.granted, wide: true, cell: r => r.whoMayWhat },
        { id: 'state', name: t.state, cell: r => state(r), by: r => state(r) },
      ]} />
    }</Loaded>
  );
}
