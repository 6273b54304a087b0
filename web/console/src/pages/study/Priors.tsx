import { Columns2 } from 'lucide-react';
import type { StudyPage } from '../../api/openapi';
import { useWords } from '../../language';
import { address } from '../../route';
import { study as own } from '../../words/study';
import { Tag } from '../../ui/Chips';
import { Link } from '../../ui/Link';
import { Empty } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Day, viewerOf } from '../studies/shown';

// Priors are the other studies of the patient, to be opened beside this one.
export function Priors({ of, looks }: { of: StudyPage; looks: boolean }) {
  const t = useWords(own);
  if (of.priors.length === 0) return <Empty title={t.noPriors}>{t.noPriorsMore}</Empty>;
  return (
    <div className="stack">
      <Table label={t.priors} rows={of.priors} id={p => p.studyInstanceUID} to={p => address('studies/study', { study: p.studyInstanceUID })} columns={[
        { id: 'date', name: t.date, cell: p => <Day of={p.studyDate} /> },
        { id: 'description', name: t.description, head: true, cell: p => p.studyDescription ?? '–' },
        { id: 'modality', name: t.modality, cell: p => <span className="row">{p.modalities.map(m => <Tag key={m}>{m}</Tag>)}</span> },
        ...looks ? [{ id: 'beside', name: t.beside, cell: (p: StudyPage['priors'][number]) => <Link to={viewerOf(of.studyInstanceUID, p.studyInstanceUID)} kind="plain"><Columns2 className="icon" aria-hidden />{t.beside}</Link> }] : [],
      ]} />
      {of.morePriors && <p className="quiet">{t.morePriors}</p>}
    </div>
  );
}
