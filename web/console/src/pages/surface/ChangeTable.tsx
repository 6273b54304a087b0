import type { InventoryChange } from '../../api/openapi';
import { useWords } from '../../language';
import { address } from '../../route';
import { common } from '../../words/common';
import { surface as own } from '../../words/surface';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Table, type Column } from '../../ui/Table';
import { Time } from '../../ui/Time';

// ChangeTable is what has changed, of one system or of all.
export function ChangeTable({ rows, more, systems = false }: { rows: InventoryChange[]; more: (() => void) | undefined; systems?: boolean }) {
  const t = useWords(own);
  const c = useWords(common);
  const numbered = rows.map((row, n) => ({ ...row, n }));
  const columns: Column<InventoryChange & { n: number }>[] = [
    { id: 'at', name: t.when, cell: x => <Time at={x.at} /> },
    ...(systems ? [{ id: 'system', name: t.system, cell: (x: InventoryChange) => x.asset }] : []),
    { id: 'what', name: t.what, head: true, cell: x => <>{named(t.changes, x.kind)} {x.field && <span lang="en">{x.field}</span>}</> },
    { id: 'from', name: t.from, wide: true, cell: x => <span lang="en">{[x.old, x.new].filter(v => v).join(' → ') || '–'}</span> },
  ];
  return <>
    <Table label={t.history} rows={numbered} id={x => x.n} columns={columns} {...(systems && { to: (x: InventoryChange) => address('surface/system', { id: x.asset }) })} />
    {more && <div><Button onPress={more}>{c.more}</Button></div>}
  </>;
}
