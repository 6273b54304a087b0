import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { Invited, PersonDetail } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { people as own } from '../../words/people';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Dialog, Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { Roles, type Role as Of } from './Roles';

// Role gives somebody another role.
export function Role({ person, close }: { person: PersonDetail; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [role, setRole] = useState(person.role as Of);
  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(() => call(api, 'POST /api/v1/people/{name}/role', { path: { name: person.name }, body: { role } }), t.changed(person.name)).then(ok => { if (ok) close(); });
  };
  return (
    <Dialog title={`${t.change}: ${person.name}`} onClose={close}>
      <form onSubmit={send}>
        <Roles role={role} change={setRole} />
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{c.save}</Button></Ends>
      </form>
    </Dialog>
  );
}

// NewPassword makes a one-time link for another password.
export function NewPassword({ name, close, made }: { name: string; close: () => void; made: (link: Invited) => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [drop, setDrop] = useState(false);
  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(async () => made(await call(api, 'POST /api/v1/people/{name}/link', { path: { name }, body: { dropSecondFactors: drop } })));
  };
  return (
    <Dialog title={t.linkTitle(name)} onClose={close}>
      <form onSubmit={send}>
        <p className="quiet">{t.linkMore}</p>
        <Checkbox isSelected={drop} onChange={setDrop}>{t.drop}</Checkbox>
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.makeLink}</Button></Ends>
      </form>
    </Dialog>
  );
}
