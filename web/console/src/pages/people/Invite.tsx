import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { Invited } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { people as own } from '../../words/people';
import { Button } from '../../ui/Button';
import { Dialog, Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { OneTime } from './OneTime';
import { Roles, type Role } from './Roles';

// Invite makes a one-time link for somebody new.
export function Invite({ close }: { close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('radiologist');
  const [link, setLink] = useState<Invited>();
  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(async () => setLink(await call(api, 'POST /api/v1/people', { body: { name, role } })));
  };
  if (link) return <OneTime link={link} close={close} />;
  return (
    <Dialog title={t.invite} onClose={close}>
      <form onSubmit={send}>
        <p className="quiet">{t.inviteMore}</p>
        <TextField label={t.name} value={name} onChange={setName} isRequired maxLength={128} autoFocus autoComplete="off" />
        <Roles role={role} change={setRole} />
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.makeLink}</Button></Ends>
      </form>
    </Dialog>
  );
}
