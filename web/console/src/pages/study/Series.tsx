import { useState } from 'react';
import type { ShownImage, ShownSeries, StudyPage } from '../../api/openapi';
import { useRoute } from '../../api/useRoute';
import { useWords } from '../../language';
import { study as own } from '../../words/study';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Bytes, Count } from '../../ui/Numbers';
import { Loaded } from '../../ui/State';
import { Table } from '../../ui/Table';
import { Tags } from './Tags';

const named = (list: { name?: string; uid: string }[]) => list.map(x => x.name ?? x.uid).join(', ');

// Series are those of a study, each with a picture of it; one is opened to see its instances.
export function Series({ of, opened, open }: { of: StudyPage; opened: string | undefined; open: (series: string | undefined) => void }) {
  const t = useWords(own);
  return (
    <ul className="series">
      {of.series.map(s => <li key={s.seriesInstanceUID} className="panel">
        <Picture study={of.studyInstanceUID} series={s} />
        <div className="about">
          <h2>{s.seriesNumber !== undefined && `${s.seriesNumber}. `}{s.seriesDescription ?? t.noDescription}</h2>
          <p className="row"><Tag>{s.modality ?? '–'}</Tag>{s.bodyPart && <Tag>{s.bodyPart}</Tag>}<span>{t.images(s.instances)}</span><Bytes of={s.bytes} /></p>
          <p className="quiet small">{named(s.sopClasses)}<br />{named(s.transferSyntaxes)}{s.source.length > 0 && <><br />{t.from}: {s.source.join(', ')}</>}</p>
        </div>
        <Button aria-expanded={opened === s.seriesInstanceUID} onPress={() => open(opened === s.seriesInstanceUID ? undefined : s.seriesInstanceUID)}>{opened === s.seriesInstanceUID ? t.hideInstances : t.instances}</Button>
        {opened === s.seriesInstanceUID && <Instances study={of.studyInstanceUID} series={s} />}
      </li>)}
    </ul>
  );
}

function Picture({ study, series }: { study: string; series: ShownSeries }) {
  const t = useWords(own);
  const [none, setNone] = useState(false);
  const at = `/dicom-web/studies/${encodeURIComponent(study)}/series/${encodeURIComponent(series.seriesInstanceUID)}/thumbnail?viewport=128,128`;
  return none
    ? <span className="thumb quiet small">{t.noPicture}</span>
    : <img className="thumb" src={at} alt="" width={128} height={128} loading="lazy" onError={() => setNone(true)} />;
}

function Instances({ study, series }: { study: string; series: ShownSeries }) {
  const t = useWords(own);
  const [cursors, setCursors] = useState<string[]>([]);
  const [shown, show] = useState<ShownImage>();
  const cursor = cursors.at(-1);
  const list = useRoute('GET /api/v1/studies/{uid}/instances', { path: { uid: study }, query: { series: series.seriesInstanceUID, limit: '50', ...(cursor && { cursor }) } });
  return (
    <div className="stack instances">
      <Loaded from={list}>{({ items, next }) => <>
        <Table label={t.instances} rows={items} id={i => i.sopInstanceUID} columns={[
          { id: 'number', name: t.number, number: true, cell: i => i.instanceNumber ?? '–' },
          { id: 'uid', name: t.instance, head: true, cell: i => <span className="mono uid">{i.sopInstanceUID}</span> },
          { id: 'size', name: t.size, wide: true, cell: i => i.columns && i.rows ? `${i.columns} × ${i.rows}${(i.frames ?? 1) > 1 ? ` × ${i.frames}` : ''}` : '–' },
          { id: 'bytes', name: t.bytes, number: true, wide: true, cell: i => <Bytes of={i.bytes} /> },
          { id: 'leaf', name: t.leaf, number: true, wide: true, cell: i => i.ledgerLeaf === undefined ? '–' : <Count of={i.ledgerLeaf} /> },
          { id: 'tags', name: t.tags, cell: i => <Button onPress={() => show(i)}>{t.tags}</Button> },
        ]} />
        {(next || cursor) && <div className="row">
          <Button isDisabled={!cursor} onPress={() => setCursors(cursors.slice(0, -1))}>{t.back}</Button>
          <Button isDisabled={!next} onPress={() => { if (next) setCursors([...cursors, next]); }}>{t.next}</Button>
        </div>}
      </>}</Loaded>
      {shown && <Tags study={study} image={shown} close={() => show(undefined)} />}
    </div>
  );
}
