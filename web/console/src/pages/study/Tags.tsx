import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import type { ShownImage } from '../../api/openapi';
import { problemOf, type Problem } from '../../api/problem';
import { leave } from '../../leave';
import { useWords } from '../../language';
import { common } from '../../words/common';
import { study as own } from '../../words/study';
import { Button } from '../../ui/Button';
import { Dialog, Ends } from '../../ui/Dialog';
import { Loading, Reason } from '../../ui/State';
import { TextField } from '../../ui/TextField';
import { flat, found, keywords, metadataOf, type Row } from './metadata';

const shownMost = 500;

// Tags are all elements of an instance, with search.
export function Tags({ study, image, close }: { study: string; image: ShownImage; close: () => void }) {
  const t = useWords(own);
  const c = useWords(common);
  const [all, setAll] = useState<Row[]>();
  const [problem, setProblem] = useState<Problem>();
  const [search, setSearch] = useState('');
  const wanted = useDeferredValue(search);
  const { seriesInstanceUID: series, sopInstanceUID: instance } = image;

  useEffect(() => {
    const stop = new AbortController();
    Promise.all([metadataOf(study, series, instance, stop.signal), keywords()]).then(
      ([of, names]) => setAll(flat(of, names)),
      (e: unknown) => {
        if (stop.signal.aborted) return;
        const why = problemOf(e);
        if (why.status === 401) leave('over');
        else setProblem(why);
      },
    );
    return () => stop.abort();
  }, [study, series, instance]);

  const rows = useMemo(() => all && found(all, wanted), [all, wanted]);
  return (
    <Dialog title={t.tags} onClose={close} wide>
      <TextField autoFocus type="search" label={t.tagSearch} value={search} onChange={setSearch} autoComplete="off" />
      <Reason problem={problem} />
      {rows ? <div className="tags" tabIndex={0} role="region" aria-label={t.tags}>
        <table>
          <thead><tr><th>{t.tag}</th><th>{t.vr}</th><th>{t.keyword}</th><th>{t.value}</th></tr></thead>
          <tbody>{rows.slice(0, shownMost).map(r => <tr key={r.id}>
            <td className="mono nowrap">{'› '.repeat(r.depth)}{r.tag}</td><td className="mono">{r.vr}</td><td>{r.keyword}</td><td className="mono">{r.value}</td>
          </tr>)}</tbody>
        </table>
      </div> : !problem && <Loading />}
      {rows && <p className="quiet small" role="status">{rows.length > shownMost ? t.tagsMore(shownMost, rows.length) : t.tagsOf(rows.length)}</p>}
      <Ends><Button onPress={close}>{c.close}</Button></Ends>
    </Dialog>
  );
}
