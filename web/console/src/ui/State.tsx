import type { ReactNode } from 'react';
import type { Problem } from '../api/problem';
import type { Resource } from '../api/useResource';
import { useWords } from '../language';
import { common } from '../words/common';
import { useReason } from '../words/problems';
import { Button } from './Button';
import './State.css';

export function Loading() {
  const t = useWords(common);
  return <div className="loading" role="status"><span className="hidden">{t.loading}</span><i /><i /><i /><i /></div>;
}

// Empty says what will be here, why nothing is, and the one next step.
export function Empty({ title, children, next }: { title: string; children?: ReactNode; next?: ReactNode }) {
  return <div className="state"><h2>{title}</h2>{children && <p className="quiet">{children}</p>}{next}</div>;
}

export function Failed({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const t = useWords(common);
  const reason = useReason(problem);
  if (problem.denied) return <div className="state" role="alert"><h2>{t.denied}</h2><p className="quiet">{t.deniedMore}</p></div>;
  return (
    <div className="state" role="alert">
      <h2>{t.failed}</h2>
      <p className="quiet">{reason}</p>
      {retry && <Button onPress={retry}>{t.retry}</Button>}
    </div>
  );
}

// Reason is why something did not work, in the place where it was tried.
export function Reason({ problem }: { problem: Problem | undefined }) {
  const reason = useReason(problem);
  return problem ? <p className="reason" role="alert">{reason}</p> : null;
}

// Loaded shows what a resource holds, or how far it is: loading, failed, denied, empty.
export function Loaded<T>({ from, empty, children }: {
  from: Resource<T>;
  empty?: ReactNode; // in place of a list without entries
  children: (data: T) => ReactNode;
}) {
  const t = useWords(common);
  const { data, problem, loading, reload } = from;
  const reason = useReason(problem);
  if (data === undefined) return problem && !loading ? <Failed problem={problem} retry={reload} /> : <Loading />;
  return (
    <>
      {problem && <p className="stale" role="alert"><span>{t.stale}{reason}</span><Button onPress={reload}>{t.retry}</Button></p>}
      {empty !== undefined && Array.isArray(data) && data.length === 0 ? empty : children(data)}
    </>
  );
}
