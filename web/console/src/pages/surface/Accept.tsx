import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import { problemOf, type Problem } from '../../api/problem';
import { call } from '../../api/routes';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { surface as own } from '../../words/surface';
import { Button } from '../../ui/Button';
import { Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { TextField } from '../../ui/TextField';

// Accept says that an issue is lived with until a day, and why.
export function Accept({ id, close, done }: { id: string; close: () => void; done: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const say = useSay();
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);

  const send = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await call(api, 'POST /api/v1/issues/{id}/accept', { path: { id }, body: { until, reason } });
      say(t.isAccepted);
      done();
    } catch (x) {
      setProblem(problemOf(x));
      setBusy(false);
    }
  };

  return (
    <form className="stack" onSubmit={e => void send(e)}>
      <h3>{t.accept}</h3>
      <p className="quiet">{t.acceptMore}</p>
      <TextField autoFocus label={t.until} type="date" value={until} onChange={setUntil} isRequired />
      <TextField label={t.reason} lines={2} value={reason} onChange={setReason} isRequired maxLength={500} />
      <Reason problem={problem} />
      <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{t.accept}</Button></Ends>
    </form>
  );
}
