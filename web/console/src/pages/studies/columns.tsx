import { Eye, Images } from 'lucide-react';
import type { ListedStudy } from '../../api/openapi';
import { useWords } from '../../language';
import { studies as own } from '../../words/studies';
import { Tag } from '../../ui/Chips';
import { IconLink } from '../../ui/Link';
import { Bytes, Count } from '../../ui/Numbers';
import type { Column } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Day, lightOf, viewerOf, written } from './shown';

export const columnNames = ['date', 'name', 'patientID', 'birth', 'modality', 'description', 'accession', 'instances', 'bytes', 'received', 'source', 'said'] as const;
export type ColumnName = (typeof columnNames)[number];

// What is shown until somebody chooses. The name is always there: it says what the row is.
export const usual: readonly ColumnName[] = ['date', 'name', 'patientID', 'birth', 'modality', 'description', 'accession', 'instances', 'source', 'said'];

// How the list can be sorted (docs/studies.md): a column bears the word of the API.
const sorted: readonly ColumnName[] = ['date', 'name', 'patientID', 'modality', 'accession', 'instances', 'bytes', 'received', 'source'];

export function useColumns(chosen: readonly ColumnName[]): Column<ListedStudy>[] {
  const t = useWords(own);
  const cells: Record<ColumnName, Omit<Column<ListedStudy>, 'id' | 'name'>> = {
    date: { cell: s => <Day of={s.studyDate} time={s.studyTime} /> },
    name: { head: true, cell: s => <b>{written(s.patientName) || t.nameless}</b> },
    patientID: { cell: s => <span className="mono">{s.patientID ?? '–'}</span> },
    birth: { cell: s => <><Day of={s.patientBirthDate} />{s.patientSex && <span className="quiet"> {s.patientSex}</span>}</> },
    modality: { cell: s => <span className="row">{s.modalities.map(m => <Tag key={m}>{m}</Tag>)}</span> },
    description: { cell: s => s.studyDescription ?? '–' },
    accession: { cell: s => <span className="mono">{s.accessionNumber ?? '–'}</span> },
    instances: { number: true, cell: s => <span className="nowrap"><Count of={s.instanceCount} /><span className="quiet"> / <Count of={s.seriesCount} /></span></span> },
    bytes: { number: true, cell: s => <Bytes of={s.bytes} /> },
    received: { cell: s => <Time at={s.received} /> },
    source: { cell: s => s.sources.join(', ') || '–' },
    said: { cell: s => <span className="row">{s.status && <b className="small">{s.status}</b>}{s.labels.map(l => <Tag key={l}>{l}</Tag>)}</span> },
  };
  const columns: Column<ListedStudy>[] = columnNames.filter(c => c === 'name' || chosen.includes(c))
    .map(id => ({ id, name: t.columns[id], sorts: sorted.includes(id), ...cells[id] }));
  columns.push({ id: 'look', name: t.look, cell: s => <span className="looks">
    <IconLink to={viewerOf(s.studyInstanceUID)} label={t.viewer}><Images className="icon" aria-hidden /></IconLink>
    <IconLink to={lightOf(s.studyInstanceUID)} label={t.light}><Eye className="icon" aria-hidden /></IconLink>
  </span> });
  return columns;
}
