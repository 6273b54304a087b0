import type { InventoryAsset } from '../../api/openapi';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { common } from '../../words/common';
import { surface as own } from '../../words/surface';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Link } from '../../ui/Link';
import { Empty, Loaded } from '../../ui/State';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Area } from './Area';
import { nameOf, productOf } from './where';

export default function Systems() {
  const t = useWords(own);
  const c = useWords(common);
  const [shows, show] = useFragment();
  const refused = shows.get('refused') === 'true';
  const list = useListed('GET /api/v1/assets', { query: { limit: '500', ...(refused && { refused: 'true' }) } }, { on: ['surface', 'scans'] });
  return (
    <Area title={t.systems} more={t.systemsMore}>
      <Switch isSelected={refused} onChange={on => show('refused', on ? 'true' : undefined)}>{t.alsoRefused}</Switch>
      <Loaded from={list} empty={<Empty title={t.noSystems} next={<Link to={address('surface/scans')} kind="main">{t.toScans}</Link>}>{t.noSystemsMore}</Empty>}>{items => <>
        <Table<InventoryAsset> label={t.systems} rows={items} id={a => a.id} to={a => address('surface/system', { id: a.id })} columns={[
          { id: 'name', name: t.system, head: true, cell: a => <><b>{nameOf(a)}</b> {a.refused && <Tag>{t.refused}</Tag>}<div className="quiet small">{a.id}</div></>, by: nameOf },
          { id: 'open', name: t.openIssues, number: true, cell: a => a.warning.open, by: a => -a.warning.open },
          { id: 'address', name: t.address, cell: a => <span className="mono">{a.addresses?.join(', ') || '–'}</span>, by: a => a.addresses?.[0] ?? '' },
          { id: 'product', name: t.product, wide: true, cell: a => productOf(a) || '–', by: productOf },
          { id: 'sources', name: t.knownBy, wide: true, cell: a => <span className="row">{a.sources.map(s => <Tag key={s.source}>{named(t.sources, s.source)}</Tag>)}</span> },
          { id: 'seen', name: t.lastSeen, wide: true, cell: a => <Time at={a.lastSeen} />, by: a => a.lastSeen },
        ]} />
        {list.more && <div><Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button></div>}
      </>}</Loaded>
    </Area>
  );
}
