import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { StudyPage } from '../../api/openapi';
import { call } from '../../api/routes';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { study as own } from '../../words/study';
import { Button } from '../../ui/Button';
import { Dialog, Ends } from '../../ui/Dialog';
import { Reason } from '../../ui/State';
import { useSay } from '../../ui/Status';
import { TextField } from '../../ui/TextField';
import { useAct } from './useAct';

// Mark says labels, a status and a note of a study.
export function Mark({ of, close, done }: { of: StudyPage; close: () => void; done: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const say = useSay();
  const [labels, setLabels] = useState(of.labels.join(', '));
  const [status, setStatus] = useState(of.status ?? '');
  const [note, setNote] = useState(of.note ?? '');
  const { busy, problem, act } = useAct();
  const save = () => act(async () => {
    const body = { labels: labels.split(',').map(l => l.trim()).filter(Boolean), status: status.trim(), note: note.trim() };
    await call(api, 'PUT /api/v1/studies/{uid}/labels', { path: { uid: of.studyInstanceUID }, body });
    say(t.marked);
    done();
  });
  return (
    <Dialog title={t.mark} onClose={close}>
      <form onSubmit={e => { e.preventDefault(); save(); }}>
        <TextField autoFocus label={t.labels} help={t.labelsMore} value={labels} onChange={setLabels} maxLength={2200} />
        <TextField label={t.status} help={t.statusMore} value={status} onChange={setStatus} maxLength={64} />
        <TextField label={t.note} lines={4} value={note} onChange={setNote} maxLength={4096} />
        <Reason problem={problem} />
        <Ends><Button onPress={close}>{c.cancel}</Button><Button kind="main" type="submit" isDisabled={busy}>{c.save}</Button></Ends>
      </form>
    </Dialog>
  );
}
