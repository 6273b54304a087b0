import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { OpenedDoor } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { gate as own } from '../../words/gate';
import { once } from '../../words/once';
import { Button } from '../../ui/Button';
import { CopyLine } from '../../ui/CopyLine';
import { Dialog, Ends } from '../../ui/Dialog';
import { Select } from '../../ui/Select';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { Time } from '../../ui/Time';

// Doors are those for maintenance: opened for one person, and shut.
export function Doors() {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [opening, open] = useState(false);
  const list = useListed('GET /api/v1/gate/doors', {}, { on: ['gate'] });
  const shut = (id: number) => void act(() => call(api, 'DELETE /api/v1/gate/doors/{id}', { path: { id: String(id) } }), t.shutNow).then(list.reload);
  const button = <Button kind="main" onPress={() => open(true)}>{t.openDoor}</Button>;
  return (
    <div className="stack">
      <p className="quiet">{t.doorsMore}</p>
      <Reason problem={problem} />
      <Loaded from={list} empty={<Empty title={t.noDoors} next={button}>{t.noDoorsMore}</Empty>}>{items => <>
        <div className="row">{button}</div>
        <Table label={t.doors} rows={items} id={d => d.number} columns={[
          { id: 'for', name: t.doorFor, head: true, cell: d => <b>{d.for}</b>, by: d => d.for },
          { id: 'route', name: t.name, wide: true, cell: d => d.route, by: d => d.route },
          { id: 'target', name: t.target, cell: d => <span className="mono">{d.target}</span> },
          { id: 'state', name: t.state, wide: true, cell: d => d.ended ? d.why ?? t.ended : d.claimed ? <>{t.claimed} <Time at={d.claimed} /></> : t.notClaimed },
          { id: 'until', name: t.until, cell: d => <Time at={d.ended ?? d.until} />, by: d => d.ended ?? d.until },
          { id: 'shut', name: t.shut, cell: d => d.ended ? t.ended : <Button kind="danger" isDisabled={busy} onPress={() => shut(d.number)}>{t.shut}</Button> },
        ]} />
      </>}</Loaded>
      {opening && <Open close={() => { open(false); list.reload(); }} />}
    </div>
  );
}

// Open opens a door, and shows its code once.
function Open({ close }: { close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const o = useWords(once);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const routes = useListed('GET /api/v1/gate/routes');
  const [route, setRoute] = useState<string>();
  const [person, setPerson] = useState('');
  const [to, setTo] = useState('');
  const [minutes, setMinutes] = useState('60');
  const [made, setMade] = useState<OpenedDoor>();
  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(async () => setMade(await call(api, 'POST /api/v1/gate/doors', { body: { ...(route && { route }), to: to.trim(), for: person, minutes: Number(minutes) } })));
  };
  if (made) {
    return (
      <Dialog title={t.doorCode}>
        <p className="quiet">{o.now} {t.doorCodeMore} {o.until} <Time at={made.until} />.</p>
        <CopyLine text={made.code} />
        <Ends><Button kind="main" onPress={close}>{o.done}</Button></Ends>
      </Dialog>
    );
  }
  return (
    <Dialog title={t.openDoor} onClose={close}>
      <form onSubmit={send}>
        {routes.data && routes.data.length > 0 && <Select label={t.name} options={routes.data.map(r => [r.name, `${r.name}: ${r.leadsTo}`] as const)} value={route} onChange={setRoute} />}
        <TextField label={t.doorTo} value={to} onChange={setTo} isRequired maxLength={64} autoComplete="off" placeholder="10.0.0.5:3389" />
        <TextField label={t.doorFor} value={person} onChange={setPerson} isRequired maxLength={128} autoComplete="off" />
        <TextField label={t.minutes} value={minutes} onChange={setMinutes} isRequired inputMode="numeric" pattern="[1-9][0-9]{0,2}" />
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.openDoor}</Button></Ends>
      </form>
    </Dialog>
  );
}
