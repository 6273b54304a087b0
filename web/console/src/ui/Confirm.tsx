import { useState, type FormEvent, type ReactNode } from 'react';
import { useAct } from '../api/useAct';
import { useWords } from '../language';
import { common } from '../words/common';
import { Button } from './Button';
import { Dialog, Ends } from './Dialog';
import { Reason } from './State';
import { TextField } from './TextField';

// Confirm asks before what cannot be undone. With reason it also asks why, in its own words.
export function Confirm({ title, go, act, done, close, reason, children }: {
  title: string;
  go: string; // what the button says
  act: (why: string) => Promise<unknown>;
  done: string; // what is said afterwards
  close: () => void;
  reason?: string;
  children: ReactNode;
}) {
  const c = useWords(common);
  const { act: run, busy, problem } = useAct();
  const [why, setWhy] = useState('');
  const send = (e: FormEvent) => {
    e.preventDefault();
    void run(() => act(why), done).then(ok => { if (ok) close(); });
  };
  return (
    <Dialog title={title} alert onClose={close}>
      <form onSubmit={send}>
        {children}
        {reason && <TextField label={reason} value={why} onChange={setWhy} isRequired minLength={5} maxLength={200} autoFocus />}
        <Reason problem={problem} />
        <Ends>
          <Button autoFocus={!reason} onPress={close}>{c.cancel}</Button>
          <Button kind="danger" type="submit" isDisabled={busy}>{go}</Button>
        </Ends>
      </form>
    </Dialog>
  );
}
