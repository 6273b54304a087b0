import { useApi } from '../../api/Api';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { gate as own } from '../../words/gate';
import { named } from '../../words/words';
import { Tag } from '../../ui/Chips';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';

// Patches are those that stand at a route, each turned on or off.
export function Patches({ route }: { route: string }) {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const path = { name: route };
  const list = useListed('GET /api/v1/gate/routes/{name}/patches', { path }, { on: ['gate'] });
  const turn = (name: string, on: boolean) => void act(() => call(api, 'POST /api/v1/gate/routes/{name}/patches', { path, body: { name, on } }), t.patched).then(list.reload);
  return (
    <div className="stack">
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noPatches}>{t.noPatchesMore}</Empty>}>{items =>
        <Table label={t.tabs.patches} rows={items} id={p => p.name} columns={[
          { id: 'name', name: t.patch, head: true, cell: p => <><b>{p.name}</b>{p.cves && <div className="quiet small">{p.cves.join(', ')}</div>}</>, by: p => p.name },
          { id: 'keeps', name: t.keeps, wide: true, cell: p => p.keeps },
          { id: 'does', name: t.does, wide: true, cell: p => <>{p.does}{p.costs && <div className="quiet small">{t.costs}: {p.costs}</div>}</> },
          { id: 'behind', name: t.behind, cell: p => p.behind ? named(t.answers, p.behind) : '–', by: p => p.behind ?? '' },
          { id: 'on', name: t.state, cell: p => p.state === 'always' ? <Tag>{t.always}</Tag>
            : <Switch isSelected={p.state === 'on'} isDisabled={busy} onChange={on => turn(p.name, on)}><span className="hidden">{p.name}: </span>{t.on}</Switch> },
        ]} />
      }</Loaded>
    </div>
  );
}
