import { useApi } from '../../api/Api';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { people as own } from '../../words/people';
import { roles } from '../../words/roles';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

// Links are the one-time links that count.
export function Links() {
  const t = useWords(own);
  const r = useWords(roles);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const list = useListed('GET /api/v1/links', {}, { on: ['people'] });
  const end = (id: string) => void act(() => call(api, 'DELETE /api/v1/links/{id}', { path: { id } }), t.linkEnded).then(list.reload);
  return (
    <div className="stack">
      <p className="quiet">{t.linksMore}</p>
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noLinks}>{t.noLinksMore}</Empty>}>{items =>
        <Table label={t.links} rows={items} id={l => l.name ?? l.purpose} columns={[
          { id: 'name', name: t.name, head: true, cell: l => <b>{l.name ?? '–'}</b>, by: l => l.name ?? '' },
          { id: 'purpose', name: t.purpose, cell: l => named(t.purposes, l.purpose) },
          { id: 'role', name: t.role, wide: true, cell: l => l.role ? named(r, l.role) : '–' },
          { id: 'maker', name: t.maker, wide: true, cell: l => l.maker ?? '–' },
          { id: 'until', name: t.until, cell: l => <Time at={l.expires} />, by: l => l.expires },
          { id: 'end', name: t.endLink, cell: l => <Button isDisabled={busy} onPress={() => end(l.name ?? '')}>{t.endLink}</Button> },
        ]} />
      }</Loaded>
    </div>
  );
}
