import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { AccessToken, MadeToken } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { useSession } from '../../session';
import { account as own } from '../../words/account';
import { common } from '../../words/common';
import { once } from '../../words/once';
import { Button } from '../../ui/Button';
import { Chips, Tag } from '../../ui/Chips';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';
import { Select } from '../../ui/Select';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';

// Tokens are one's own.
export function Tokens() {
  const t = useWords(own);
  const api = useApi();
  const list = useListed('GET /api/v1/tokens');
  const { act, busy, problem } = useAct();
  const [making, make] = useState(false);
  const revoke = (id: string) => void act(() => call(api, 'DELETE /api/v1/tokens/{id}', { path: { id } }), t.revoked).then(list.reload);
  const ended = (x: AccessToken) => x.revoked ? t.revokedState : new Date(x.expires) < new Date() ? t.over : undefined;
  const button = <Button onPress={() => make(true)}>{t.newToken}</Button>;
  return (
    <section className="stack">
      <div className="row"><h2>{t.tokens}</h2>{list.data && list.data.length > 0 && button}</div>
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noTokens} next={button}>{t.noTokensMore}</Empty>}>{items => <Table label={t.tokens} rows={items} id={x => x.id} columns={[
        { id: 'token', name: t.token, head: true, cell: x => <span className="mono">{x.id}</span> },
        { id: 'allow', name: t.allowed, wide: true, cell: x => <span className="row">{x.allow.map(v => <Tag key={v}>{v}</Tag>)}</span> },
        { id: 'until', name: t.until, cell: x => <Time at={x.expires} /> },
        { id: 'end', name: t.revoke, cell: x => ended(x) ?? <Button isDisabled={busy} onPress={() => revoke(x.id)}>{t.revoke}</Button> },
      ]} />}</Loaded>
      {making && <Make close={() => { make(false); list.reload(); }} />}
    </section>
  );
}

const lasting = ['1', '24', '168', '720', '8760'] as const;
type Scope = 'read' | 'write' | 'metrics' | 'admin';

// Make makes a token and shows its secret once.
function Make({ close }: { close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const o = useWords(once);
  const api = useApi();
  const { session } = useSession();
  const { act, busy, problem } = useAct();
  const [scope, setScope] = useState<Scope>('read');
  const [hours, setHours] = useState<typeof lasting[number]>('24');
  const [studies, setStudies] = useState('');
  const [made, setMade] = useState<MadeToken>();
  const send = (e: FormEvent) => {
    e.preventDefault();
    const only = studies.split(/[\s,]+/).filter(x => x);
    void act(async () => setMade(await call(api, 'POST /api/v1/tokens', { body: { scope, hours: Number(hours), ...(only.length > 0 && { studies: only }) } })));
  };
  if (made) {
    return (
      <Dialog title={t.theToken}>
        <p className="quiet">{o.now} {o.until} <Time at={made.expires} />. {t.tokenMore}</p>
        <CopyLine text={made.secret} />
        <Ends><Button kind="main" onPress={close}>{o.done}</Button></Ends>
      </Dialog>
    );
  }
  const scopes: Scope[] = session.role === 'administrator' ? ['read', 'write', 'metrics', 'admin'] : ['read', 'write'];
  return (
    <Dialog title={t.newToken} onClose={close}>
      <form onSubmit={send}>
        <Select label={t.scope} options={scopes.map(s => [s, t.scopes[s]] as const)} value={scope} onChange={setScope} />
        <div className="stack"><b aria-hidden>{t.hours}</b><Chips label={t.hours} always options={lasting.map(h => [h, t.hour[h]] as const)} value={hours} onChange={h => { if (h) setHours(h); }} /></div>
        {(scope === 'read' || scope === 'write') && <TextField label={t.onlyStudies} value={studies} onChange={setStudies} autoComplete="off" />}
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.make}</Button></Ends>
      </form>
    </Dialog>
  );
}
