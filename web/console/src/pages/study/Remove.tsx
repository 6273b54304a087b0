import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { StudyPage } from '../../api/openapi';
import { call } from '../../api/routes';
import { useWords } from '../../language';
import { address, navigate } from '../../route';
import { common } from '../../words/common';
import { study as own } from '../../words/study';
import { Button } from '../../ui/Button';
import { Dialog, Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { TextField } from '../../ui/TextField';
import { useAct } from './useAct';

// Remove deletes a study, for a reason that is recorded.
export function Remove({ of, close }: { of: StudyPage; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const say = useSay();
  const [reason, setReason] = useState('');
  const { busy, problem, act } = useAct();
  const remove = () => act(async () => {
    const gone = await call(api, 'DELETE /api/v1/studies/{uid}', { path: { uid: of.studyInstanceUID }, body: { reason: reason.trim() } });
    say(t.removed(gone.instances));
    navigate(address('studies'), { replace: true });
  });
  return (
    <Dialog title={t.remove} onClose={close} alert>
      <p>{t.removeMore(of.instanceCount)}</p>
      <form onSubmit={e => { e.preventDefault(); remove(); }}>
        <TextField autoFocus isRequired label={t.reason} help={t.reasonMore} value={reason} onChange={setReason} minLength={5} maxLength={200} />
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="danger" type="submit" isDisabled={busy || reason.trim().length < 5}>{t.removeNow}</Button></Ends>
      </form>
    </Dialog>
  );
}
