import type { Severity as Of } from '../../api/types';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { useFragment } from '../../route';
import { common } from '../../words/common';
import { issues as own } from '../../words/issues';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Chips, Tag } from '../../ui/Chips';
import { Page } from '../../ui/Page';
import { rank, Severity, severities } from '../../ui/Severity';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { where } from './where';

const states = ['open', 'accepted', 'fixed'] as const;

export default function Issues() {
  const t = useWords(own);
  const c = useWords(common);
  const [shows, show] = useFragment();
  const severity = severities.find(s => s === shows.get('severity'));
  const state = states.find(s => s === shows.get('state'));
  const list = useListed('GET /api/v1/issues', { query: { ...(severity && { severity }), ...(state && { state }) } }, { on: ['surface'] });

  return (
    <Page title={t.title}>
      <div className="row">
        <Chips<Of> label={t.severity} options={severities.filter(s => s !== 'info').map(s => [s, c[s]] as const)} value={severity} onChange={s => show('severity', s)} />
        <Chips label={t.state} options={states.map(s => [s, t.states[s]] as const)} value={state} onChange={s => show('state', s)} />
      </div>
      <Loaded from={list} empty={<Empty title={t.none}>{t.noneMore}</Empty>}>{items => <>
        <Table label={t.title} rows={items} id={i => i.id} columns={[
          { id: 'severity', name: t.name, cell: i => <Severity of={i.severity} />, by: i => rank(i.severity) },
          { id: 'issue', name: t.issue, head: true, cell: i => <>{i.title} {i.possible && <Tag>{t.possible}</Tag>}</>, by: i => i.title },
          { id: 'place', name: t.place, cell: i => <span className="mono">{where(i.place)}</span>, by: i => where(i.place) },
          { id: 'state', name: t.state, wide: true, cell: i => named(t.states, i.state), by: i => i.state },
          { id: 'fix', name: t.fix, wide: true, cell: i => i.fix.do },
          { id: 'seen', name: t.seen, wide: true, cell: i => <Time at={i.firstSeen} form="day" />, by: i => i.firstSeen },
        ]} />
        {list.more && <Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button>}
      </>}</Loaded>
    </Page>
  );
}
