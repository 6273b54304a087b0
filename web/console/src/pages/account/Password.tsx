import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useWords } from '../../language';
import { account as own } from '../../words/account';
import { Button } from '../../ui/Button';
import { Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';

// Password is how one changes one's own.
export function Password({ method }: { method: string }) {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const differ = again !== '' && again !== fresh;
  const send = (e: FormEvent) => {
    e.preventDefault();
    if (differ) return;
    void act(() => call(api, 'POST /api/v1/password', { body: { old, new: fresh } }), t.passwordChanged).then(ok => {
      // Every session has another number now, this one too.
      if (ok) location.reload();
    });
  };
  if (method === 'oidc') return <section className="panel stack"><h2>{t.password}</h2><p className="quiet">{t.oidcPassword}</p></section>;
  return (
    <form className="panel stack" onSubmit={send}>
      <h2>{t.changePassword}</h2>
      <p className="quiet">{t.passwordMore}</p>
      <TextField label={t.old} type="password" value={old} onChange={setOld} isRequired maxLength={1024} autoComplete="current-password" />
      <TextField label={t.new} type="password" value={fresh} onChange={setFresh} isRequired minLength={12} maxLength={1024} autoComplete="new-password" />
      <TextField label={t.again} type="password" value={again} onChange={setAgain} isRequired maxLength={1024} autoComplete="new-password" error={differ ? t.differ : undefined} />
      <Reason problem={problem} />
      <div className="row"><Button type="submit" isDisabled={busy}>{t.changePassword}</Button></div>
    </form>
  );
}
