import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { useFragment } from '../../route';
import { system as own } from '../../words/system';
import { Tag } from '../../ui/Chips';
import { Empty, Loaded } from '../../ui/State';
import './System.css';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';
import { TextField } from '../../ui/TextField';

// Settings are those in force, with the line of the file. They are changed there: who may write that file is not
// who may sign in here.
export function Settings() {
  const t = useWords(own);
  const [shows, show] = useFragment();
  const onlySet = shows.get('set') === 'true', text = (shows.get('key') ?? '').toLowerCase();
  const settings = useRoute('GET /api/v1/settings');
  return <Loaded from={settings}>{({ file, items }) => {
    const rows = items.filter(s => (!onlySet || s.line !== undefined) && s.key.toLowerCase().includes(text));
    return <div className="stack">
      <p>{file ? t.file : t.noFile} {file && <span className="mono">{file}</span>}</p>
      <p className="quiet">{t.changedThere}</p>
      <div className="filters"><TextField label={t.search} value={shows.get('key') ?? ''} onChange={x => show('key', x)} /><Switch isSelected={onlySet} onChange={on => show('set', on ? 'true' : undefined)}>{t.onlySet}</Switch></div>
      {rows.length === 0 ? <Empty title={t.noSetting} /> : <Table label={t.settings} rows={rows} id={s => s.key} columns={[
        { id: 'key', name: t.setting, head: true, cell: s => <span className="mono">{s.key}</span>, by: s => s.key },
        { id: 'value', name: t.value, cell: s => s.value === '' ? <span className="quiet">{t.nothing}</span> : <span className="mono">{s.value}</span> },
        { id: 'from', name: t.from, cell: s => s.line === undefined ? <Tag>{t.standard}</Tag> : t.line(s.line), by: s => s.line ?? 1e9 },
      ]} />}
    </div>;
  }}</Loaded>;
}
