import type { InventoryIssue } from '../../api/openapi';
import type { Severity as Of } from '../../api/types';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { common } from '../../words/common';
import { surface as own } from '../../words/surface';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Chips, Tag } from '../../ui/Chips';
import { rank, Severity, severities } from '../../ui/Severity';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Area } from './Area';
import { byGain } from './gains';
import { IssueSide } from './IssueSide';
import { where } from './where';

const states = ['open', 'accepted', 'fixed'] as const;

// Issues are what is wrong, in groups by what somebody gains who uses it.
export default function Issues() {
  const t = useWords(own);
  const c = useWords(common);
  const [shows, show] = useFragment();
  const severity = severities.find(s => s === shows.get('severity'));
  const state = states.find(s => s === shows.get('state'));
  const asset = shows.get('system') ?? undefined;
  const issue = shows.get('issue') ?? undefined;
  const list = useListed('GET /api/v1/issues', { query: { limit: '500', ...(severity && { severity }), ...(state && { state }), ...(asset && { asset }) } }, { on: ['surface'] });

  return (
    <Area title={t.issues}>
      <div className="row">
        <Chips<Of> label={t.severityOrWorse} options={severities.filter(s => s !== 'info').map(s => [s, c[s]] as const)} value={severity} onChange={s => show('severity', s)} />
        <Chips label={t.state} options={states.map(s => [s, t.states[s]] as const)} value={state} onChange={s => show('state', s)} />
        {asset && <Button onPress={() => show('system', undefined)}>{t.allSystems(asset)}</Button>}
      </div>
      <Loaded from={list} empty={<Empty title={t.none}>{t.noneMore}</Empty>}>{items => <>
        {byGain(items).map(([gain, of]) => <section key={gain} className="stack">
          <h2>{t.gain(named(t.gains, gain), of.length)}</h2>
          <Table<InventoryIssue> label={named(t.gains, gain)} rows={of} id={i => i.id}
            to={i => address('surface', { severity, state, system: asset, issue: i.id })} columns={[
              { id: 'severity', name: t.severity, cell: i => <Severity of={i.severity} />, by: i => rank(i.severity) },
              { id: 'issue', name: t.issue, head: true, cell: i => <><span lang="en">{i.title}</span> {i.possible && <Tag>{t.possible}</Tag>} {i.state !== 'open' && <Tag>{named(t.states, i.state)}</Tag>}</>, by: i => i.title },
              { id: 'place', name: t.place, cell: i => <span className="mono">{where(i.place)}</span>, by: i => where(i.place) },
              { id: 'fix', name: t.fix, wide: true, cell: i => <span lang="en">{i.fix.do}</span> },
            ]} />
        </section>)}
        {list.more && <div><Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button></div>}
      </>}</Loaded>
      {issue && <IssueSide id={issue} close={() => show('issue', undefined)} />}
    </Area>
  );
}
