import { useListed, useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { common } from '../../words/common';
import { surface as own } from '../../words/surface';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { CopyLine } from '../../ui/CopyLine';
import { Pairs } from '../../ui/Pairs';
import { Side } from '../../ui/Side';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Area } from './Area';

// Advisories are those that are known here: built in, and taken in.
export default function Advisories() {
  const t = useWords(own);
  const c = useWords(common);
  const [shows, show] = useFragment();
  const id = shows.get('id') ?? undefined;
  const list = useListed('GET /api/v1/advisories', { query: {} });
  return (
    <Area title={t.advisories} more={t.advisoriesMore}>
      <Loaded from={list} empty={<Empty title={t.noAdvisories} next={<CopyLine text="collimator advisory import FILE" />} />}>{items => <>
        <Table label={t.advisories} rows={items} id={a => a.id} to={a => address('surface/advisories', { id: a.id })} columns={[
          { id: 'id', name: t.advisory, cell: a => <span className="nowrap">{a.id}</span>, by: a => a.id },
          { id: 'title', name: t.title, head: true, cell: a => <span lang="en">{a.title}</span>, by: a => a.title },
          { id: 'update', name: t.update, wide: true, cell: a => named(t.updates, a.update), by: a => a.update },
          { id: 'from', name: t.source, wide: true, cell: a => <span lang="en">{a.source}</span> },
          { id: 'day', name: t.published, wide: true, cell: a => a.initial ?? '–', by: a => a.initial ?? '' },
        ]} />
        {list.more && <div><Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button></div>}
      </>}</Loaded>
      {id && <One id={id} close={() => show('id', undefined)} />}
    </Area>
  );
}

function One({ id, close }: { id: string; close: () => void }) {
  const t = useWords(own);
  const of = useRoute('GET /api/v1/advisories/{id}', { path: { id } });
  return (
    <Side title={id} onClose={close}>
      <Loaded from={of}>{({ items }) => <>{items.map(a => <section key={a.id}>
        <h3 lang="en">{a.title}</h3>
        {a.fix && <p lang="en"><b>{a.fix}</b></p>}
        <Pairs of={[[t.advisory, a.id], [t.published, a.initial], [t.changed, a.current], [t.update, named(t.updates, a.update)], [t.source, <span lang="en">{a.source}</span>]]} />
        {a.rules.map((r, n) => <div key={n} className="panel"><Pairs of={[
          [t.product, <span lang="en">{r.vendors[0]} {r.product}</span>],
          [t.versions, <span lang="en">{r.versions}</span>],
          [t.fixedIn, r.fixed],
          [t.remark, r.remark && <span lang="en">{r.remark}</span>],
          ['CVE', r.cves && <span className="row">{r.cves.map(x => <Tag key={x.id}>{x.id}{x.score ? ` (${x.score})` : ''}{x.exploited ? `, ${t.exploited}` : ''}</Tag>)}</span>],
        ]} /></div>)}
      </section>)}</>}</Loaded>
    </Side>
  );
}
