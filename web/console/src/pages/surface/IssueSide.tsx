import { useState } from 'react';
import type { InventoryIssue } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { address } from '../../route';
import { useSession } from '../../session';
import { surface as own } from '../../words/surface';
import { named } from '../../words/words';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { CopyLine } from '../../ui/CopyLine';
import { Link } from '../../ui/Link';
import { Pairs } from '../../ui/Pairs';
import { Severity } from '../../ui/Severity';
import { Side } from '../../ui/Side';
import { Loaded } from '../../ui/State';
import { Time } from '../../ui/Time';
import { Accept } from './Accept';
import { Transcript } from './Transcript';
import { where } from './where';

// IssueSide is all that is known of an issue, what to do first. accepting: it was opened to live with it.
export function IssueSide({ id, close, accepting = false }: { id: string; close: () => void; accepting?: boolean }) {
  const t = useWords(own);
  const issue = useRoute('GET /api/v1/issues/{id}', { path: { id } }, { on: ['surface'] });
  return (
    <Side title={issue.data ? <span lang="en">{issue.data.title}</span> : t.issue} onClose={close}>
      <Loaded from={issue}>{i => <Known issue={i} reload={issue.reload} accepting={accepting} />}</Loaded>
    </Side>
  );
}

function Known({ issue: i, reload, accepting }: { issue: InventoryIssue; reload: () => void; accepting: boolean }) {
  const t = useWords(own);
  const { can } = useSession();
  const [accept, setAccept] = useState(accepting);
  return (
    <>
      <div className="row"><Severity of={i.severity} /><Tag>{named(t.states, i.state)}</Tag>{i.possible && <Tag>{t.possible}</Tag>}{i.lapsed && <Tag>{t.lapsed}</Tag>}</div>
      {i.text && <p lang="en">{i.text}</p>}
      <Pairs of={[
        [t.place, <span className="mono">{where(i.place)}</span>],
        [t.system, <Link to={address('surface/system', { id: i.asset })}>{i.asset}</Link>],
        [t.attacker, i.gains?.map(g => named(t.gains, g)).join(', ')],
        [t.seen, <><Time at={i.firstSeen} /> – <Time at={i.lastSeen} /></>],
        [t.fixed, i.fixedAt && <Time at={i.fixedAt} />],
        [t.accepted, i.state === 'accepted' && <>{t.acceptedBy(i.acceptedBy ?? '')} <Time at={lastDay(i.acceptedUntil)} form="day" />: {i.acceptedWhy}</>],
      ]} />
      <section>
        <h3>{t.fix}</h3>
        <p lang="en"><b>{i.fix.do}</b></p>
        <p className="quiet small">{t.effort}: {named(t.efforts, i.fix.effort)}</p>
        {i.fix.changes?.map(c => <div key={c.where + c.text} className="stack" lang="en"><span className="quiet small">{c.where}</span><CopyLine text={c.text} /></div>)}
      </section>
      {i.advisories && i.advisories.length > 0 && <section>
        <h3>{t.advisories}</h3>
        <div className="row">{i.advisories.map(a => <Link key={a} to={address('surface/advisories', { id: a })}>{a}</Link>)}</div>
      </section>}
      {i.evidence && i.evidence.length > 0 && <section><h3>{t.evidence}</h3><Transcript of={i.evidence} /></section>}
      {can('configure') && i.state === 'open' && (accept
        ? <Accept id={i.id} close={() => setAccept(false)} done={() => { setAccept(false); reload(); }} />
        : <div><Button onPress={() => setAccept(true)}>{t.accept}</Button></div>)}
    </>
  );
}

// lastDay is the day before the midnight at which an acceptance ends.
const lastDay = (until: string | undefined) => until && new Date(Date.parse(until) - 1).toISOString();
