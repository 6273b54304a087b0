import { useCallback, useState } from 'react';
import { useSay } from '../ui/Status';
import { problemOf, type Problem } from './problem';

// useAct does something once at a time, says that it was done, and keeps why it was not.
export function useAct() {
  const say = useSay();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const act = useCallback(async (what: () => Promise<unknown>, done?: string): Promise<boolean> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await what();
      if (done) say(done);
      return true;
    } catch (e) {
      setProblem(problemOf(e));
      return false;
    } finally {
      setBusy(false);
    }
  }, [say]);
  return { act, busy, problem };
}
