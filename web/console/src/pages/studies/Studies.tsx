import { useEffect, useRef, useState } from 'react';
import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight, Columns3, Upload } from 'lucide-react';
import type { StudyList } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { keep, kept } from '../../kept';
import { useWords } from '../../language';
import { address, navigate, useFragment } from '../../route';
import { useSession } from '../../session';
import { studies as own } from '../../words/studies';
import { Button } from '../../ui/Button';
import { Chips } from '../../ui/Chips';
import { Choices } from '../../ui/Choices';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';
import { columnNames, useColumns, usual, type ColumnName } from './columns';
import { filters, queryOf, sortOf, spans } from './query';
import './Studies.css';

const modalities = ['CT', 'MR', 'CR', 'DX', 'US', 'MG', 'XA', 'PT', 'NM'] as const;

// How long somebody types before it is looked for, in milliseconds: each search stands in the audit log.
const pause = 120;

// Studies is the list of what one may see of the archive.
export default function Studies() {
  const t = useWords(own);
  const { can } = useSession();
  const [shows] = useFragment();
  const list = useRoute('GET /api/v1/studies', { query: queryOf(shows) }, { on: ['studies'] });
  const filtered = filters.some(f => shows.get(f));
  const show = (changed: Record<string, string | undefined>) =>
    navigate(address('studies', { ...Object.fromEntries(shows), cursor: undefined, back: undefined, ...changed }), { replace: true });

  const upload = can('store') && <Link to={address('studies/upload')} kind="main"><Upload className="icon" aria-hidden />{t.upload}</Link>;
  return (
    <Page title={t.title} actions={upload}>
      <Search shows={shows} show={show} />
      <Filters list={list.data} shows={shows} show={show} />
      <Loaded from={list}>{data => <List list={data} shows={shows} show={show} none={filtered
        ? <Empty title={t.noMatch} next={<Button onPress={() => navigate(address('studies'), { replace: true })}>{t.all}</Button>}>{t.noMatchMore}</Empty>
        : <Empty title={t.none} next={upload || undefined}>{t.noneMore}</Empty>} />}</Loaded>
    </Page>
  );
}

interface Part { shows: URLSearchParams; show: (changed: Record<string, string | undefined>) => void }

// Search looks for what is typed, a moment after the last letter.
function Search({ shows, show }: Part) {
  const t = useWords(own);
  const [chosen, choose] = useChosen();
  const now = shows.get('q') ?? '';
  const [text, setText] = useState(now);
  const sent = useRef(now);
  useEffect(() => { if (now !== sent.current) { sent.current = now; setText(now); } }, [now]);
  const latest = useRef(show);
  latest.current = show;
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => { sent.current = text; latest.current({ q: text || undefined }); }, pause);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="studysearch">
      <TextField type="search" label={t.search} help={t.searchMore} value={text} onChange={setText} maxLength={200} autoComplete="off" spellCheck="false" />
      <Choices label={t.choose} button={<><Columns3 className="icon" aria-hidden />{t.choose}</>} chosen={chosen} onChange={choose}
        options={columnNames.filter(c => c !== 'name').map(c => [c, t.columns[c]] as const)} />
    </div>
  );
}

// Filters offer what stands in the list besides what is asked for often.
function Filters({ list, shows, show }: Part & { list: StudyList | undefined }) {
  const t = useWords(own);
  const sources = useSeen(list?.items.flatMap(s => s.sources), shows.get('source'));
  const labels = useSeen(list?.items.flatMap(s => s.labels), shows.get('label'));
  const states = useSeen(list?.items.flatMap(s => s.status ? [s.status] : []), shows.get('status'));
  const seen = [['source', t.columns.source, sources], ['label', t.label, labels], ['status', t.status, states]] as const;
  return (
    <div className="studyfilters">
      <Chips label={t.columns.date} options={spans.map(s => [s, t.spans[s]] as const)} value={spans.find(s => s === shows.get('days'))} onChange={days => show({ days })} />
      <Chips label={t.columns.modality} options={modalities.map(m => [m, m] as const)} value={modalities.find(m => m === shows.get('modality'))} onChange={modality => show({ modality })} />
      {seen.map(([id, name, values]) => values.length > 0 &&
        <Chips key={id} label={name} options={values.map(v => [v, v] as const)} value={shows.get(id) ?? undefined} onChange={value => show({ [id]: value })} />)}
    </div>
  );
}

const seenMost = 8;

// useSeen are values that stood in the list, so that a filter does not take the others away.
function useSeen(now: string[] | undefined, chosen: string | null): string[] {
  const seen = useRef(new Set<string>());
  for (const value of [...chosen ? [chosen] : [], ...now ?? []]) if (seen.current.size < seenMost || value === chosen) seen.current.add(value);
  return [...seen.current].sort();
}

function List({ list, shows, show, none }: Part & { list: StudyList; none: React.ReactNode }) {
  const t = useWords(own);
  const [chosen] = useChosen();
  const columns = useColumns(chosen);
  const back = shows.get('back') !== null;
  const rows = back ? list.items.toReversed() : list.items;
  const [before, after] = back ? [list.next, list.previous] : [list.previous, list.next];
  const sort = sortOf(shows);
  const to = (cursor: string | undefined) => cursor && (() => show({ cursor, back: back ? '1' : undefined }));
  if (rows.length === 0 && !before && !after) return none;
  return (
    <div className="studylist stack">
      <Pager list={list} first={before || back ? () => show({}) : undefined} previous={to(before)} next={to(after)} last={after ? () => show({ back: '1' }) : undefined} />
      <Table label={t.title} rows={rows} id={s => s.studyInstanceUID} columns={columns} to={s => address('studies/study', { study: s.studyInstanceUID })}
        order={{ column: sort.replace('-', ''), direction: sort.startsWith('-') ? 'descending' : 'ascending' }}
        onOrder={o => show({ sort: (o.direction === 'descending' ? '-' : '') + String(o.column) })} />
    </div>
  );
}

type Turn = (() => void) | undefined | '';

function Pager({ list, first, previous, next, last }: { list: StudyList; first: Turn; previous: Turn; next: Turn; last: Turn }) {
  const t = useWords(own);
  const turns = [['first', first, ChevronFirst], ['previous', previous, ChevronLeft], ['next', next, ChevronRight], ['last', last, ChevronLast]] as const;
  return (
    <div className="pager">
      <p role="status">{list.total !== undefined ? t.total(list.total) : t.atLeast(list.totalAtLeast ?? 0)}</p>
      {turns.map(([id, turn, Icon]) => <Button key={id} kind="icon" label={t.pages[id]} isDisabled={!turn} onPress={() => turn && turn()}><Icon className="icon" aria-hidden /></Button>)}
    </div>
  );
}

const changed = 'collimator:columns';

// useChosen are the columns that somebody chose, kept in this browser.
function useChosen(): [readonly ColumnName[], (next: readonly ColumnName[]) => void] {
  const read = () => { const text = kept('columns'); return text === null ? usual : columnNames.filter(c => text.split(' ').includes(c)); };
  const [chosen, set] = useState(read);
  useEffect(() => {
    const hear = () => set(read());
    addEventListener(changed, hear);
    return () => removeEventListener(changed, hear);
  }, []);
  return [chosen, next => { keep('columns', next.join(' ')); set(next); dispatchEvent(new Event(changed)); }];
}
