import { useState } from 'react';
import { problemOf, type Problem } from '../../api/problem';

// useAct does something that may be refused: one at a time, and the reason stays until it is tried again.
export function useAct(): { busy: boolean; problem: Problem | undefined; act: (what: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const act = (what: () => Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    what().catch((e: unknown) => setProblem(problemOf(e))).finally(() => setBusy(false));
  };
  return { busy, problem, act };
}
