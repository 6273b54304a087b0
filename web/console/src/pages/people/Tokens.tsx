import { useApi } from '../../api/Api';
import type { AccessToken } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { people as own } from '../../words/people';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';

// Tokens are those of everybody.
export function Tokens() {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const list = useListed('GET /api/v1/access-tokens', {}, { on: ['people'] });
  const revoke = (id: string) => void act(() => call(api, 'DELETE /api/v1/access-tokens/{id}', { path: { id } }), t.revoked).then(list.reload);
  const ended = (x: AccessToken) => x.revoked ? t.revokedState : new Date(x.expires) < new Date() ? t.over : undefined;
  return (
    <div className="stack">
      <p className="quiet">{t.tokensMore}</p>
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noTokens}>{t.noTokensMore}</Empty>}>{items =>
        <Table label={t.tokens} rows={items} id={x => x.id} columns={[
          { id: 'token', name: t.token, head: true, cell: x => <span className="mono">{x.id}</span> },
          { id: 'owner', name: t.owner, cell: x => <>{x.owner} {x.madeByOperator && <Tag>{t.operator}</Tag>}</>, by: x => x.owner },
          { id: 'allow', name: t.allowed, wide: true, cell: x => <span className="row">{x.allow.map(v => <Tag key={v}>{v}</Tag>)}</span> },
          { id: 'until', name: t.until, wide: true, cell: x => <Time at={x.expires} />, by: x => x.expires },
          { id: 'end', name: t.revoke, cell: x => ended(x) ?? <Button isDisabled={busy} onPress={() => revoke(x.id)}>{t.revoke}</Button> },
        ]} />
      }</Loaded>
    </div>
  );
}
