import { useEffect, useState } from 'react';
import { useChanged } from './Events';

// useStored is whether anything is stored that this person may see; undefined until it is known.
export function useStored(off = false): boolean | undefined {
  const [stored, set] = useState<boolean>();
  const [turn, again] = useState(0);
  useChanged(off || stored ? [] : ['studies'], () => again(n => n + 1));
  useEffect(() => {
    if (off) return;
    const stop = new AbortController();
    fetch('/dicom-web/studies?limit=1', { headers: { Accept: 'application/dicom+json' }, cache: 'no-store', signal: stop.signal }).then(
      async answer => { if (answer.ok) set(answer.status !== 204 && (await answer.json() as unknown[]).length > 0); },
    ).catch(() => {});
    return () => stop.abort();
  }, [off, turn]);
  return stored;
}
