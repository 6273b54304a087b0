import { useState } from 'react';
import { Download, Eye, Images, Laptop, Share2, SquarePen, Trash2 } from 'lucide-react';
import { apiRoot } from '../../api/client';
import type { StudyPage } from '../../api/openapi';
import { addressOf } from '../../api/routes';
import { useRoute } from '../../api/useRoute';
import { useLanguage, useWords } from '../../language';
import { address, useFragment } from '../../route';
import { useSession } from '../../session';
import { study as own } from '../../words/study';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Link } from '../../ui/Link';
import { Menu } from '../../ui/Menu';
import { Bytes, Count } from '../../ui/Numbers';
import { Page } from '../../ui/Page';
import { Empty, Loaded } from '../../ui/State';
import { Tabs } from '../../ui/Tabs';
import { Time } from '../../ui/Time';
import { Day, lightOf, viewerOf, written } from '../studies/shown';
import { Mark } from './Mark';
import { OpenIn } from './OpenIn';
import { Priors } from './Priors';
import { Accesses, Ledger } from './Record';
import { Remove } from './Remove';
import { Series } from './Series';
import { Share } from './Share';
import './Study.css';

// Study is the page of one: #study is its UID, #tab what of it, #series the one that is open.
export default function Study() {
  const t = useWords(own);
  const [shows] = useFragment();
  const uid = shows.get('study');
  if (!uid) return <Page title={t.title}><Empty title={t.which} next={<Link to={address('studies')} kind="main">{t.toList}</Link>} /></Page>;
  return <One key={uid} uid={uid} />;
}

const tabs = ['series', 'priors', 'accesses', 'ledger'] as const;

function One({ uid }: { uid: string }) {
  const t = useWords(own);
  const [shows, show] = useFragment();
  const { can } = useSession();
  const page = useRoute('GET /api/v1/studies/{uid}', { path: { uid } }, { on: ['studies'] });
  const of = page.data;
  if (!of) return <Page title={t.title}><Loaded from={page}>{() => null}</Loaded></Page>;
  return (
    <Page title={t.title} sentence={written(of.patientName) || t.nameless} more={<>{of.studyDescription ?? t.noDescription}{' · '}<Day of={of.studyDate} time={of.studyTime} /></>} actions={<Actions of={of} reload={page.reload} />}>
      <Loaded from={page}>{x => <>
        <Facts of={x} />
        <Tabs label={t.title} selected={tabs.find(k => k === shows.get('tab')) ?? 'series'} onChange={k => show('tab', k === 'series' ? undefined : k)} parts={[
          { id: 'series', name: <>{t.series} (<Count of={x.seriesCount} />)</>, content: () => <Series of={x} opened={shows.get('series') ?? undefined} open={s => show('series', s)} /> },
          { id: 'priors', name: <>{t.priors} ({x.priors.length}{x.morePriors && '+'})</>, content: () => <Priors of={x} looks={can('query')} /> },
          { id: 'accesses', name: t.accesses, content: () => <Accesses study={uid} /> },
          { id: 'ledger', name: t.ledger, content: () => <Ledger of={x} /> },
        ]} />
      </>}</Loaded>
    </Page>
  );
}

function Facts({ of }: { of: StudyPage }) {
  const t = useWords(own);
  const { can } = useSession();
  const facts: [string, React.ReactNode][] = [
    [t.patientID, <span className="mono">{of.patientID ?? '–'}</span>],
    [t.born, <><Day of={of.patientBirthDate} />{of.patientSex && ` ${of.patientSex}`}</>],
    [t.accession, <span className="mono">{of.accessionNumber ?? '–'}</span>],
    [t.modality, <span className="row">{of.modalities.map(m => <Tag key={m}>{m}</Tag>)}</span>],
    [t.content, <>{t.images(of.instanceCount)}, <Bytes of={of.bytes} /></>],
    [t.referrer, of.referringPhysicianName?.replaceAll('^', ' ').trim() || '–'],
    [t.from, of.sources.join(', ') || '–'],
    [t.received, <Time at={of.received} />],
    [t.uid, <span className="mono">{of.studyInstanceUID}</span>],
  ];
  return (
    <div className="panel stack">
      <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {(of.status || of.labels.length > 0 || of.note) && <div className="row">
        {of.status && <b>{of.status}</b>}{of.labels.map(l => <Tag key={l}>{l}</Tag>)}{of.note && <span>{of.note}</span>}
        <span className="quiet small">{of.markedBy && <>{of.markedBy}, <Time at={of.marked} /></>}</span>
      </div>}
      {of.quarantine > 0 && <p className="reason">{t.held(of.quarantine)} {can('quarantine') && <Link to={address('quarantine', { study: of.studyInstanceUID })}>{t.toHeld}</Link>}</p>}
    </div>
  );
}

type Doing = 'mark' | 'share' | 'open' | 'remove';

function Actions({ of, reload }: { of: StudyPage; reload: () => void }) {
  const t = useWords(own);
  const { can } = useSession();
  const { language } = useLanguage();
  const [doing, act] = useState<Doing>();
  const close = () => act(undefined);
  return (
    <>
      {can('query') && <>
        <Link to={viewerOf(of.studyInstanceUID)} kind="main"><Images className="icon" aria-hidden />{t.viewer}</Link>
        <Link to={lightOf(of.studyInstanceUID)} kind="plain"><Eye className="icon" aria-hidden />{t.light}</Link>
        <Menu label={t.download} kind="plain" button={<><Download className="icon" aria-hidden />{t.download}</>} entries={(['zip', 'iso'] as const).map(format => ({ id: format, name: t.forms[format],
          to: apiRoot + addressOf('GET /api/v1/studies/{uid}/download', { path: { uid: of.studyInstanceUID }, query: { format, language } }) }))} />
        <Button onPress={() => act('open')}><Laptop className="icon" aria-hidden />{t.openIn}</Button>
      </>}
      {can('label') && <Button onPress={() => act('mark')}><SquarePen className="icon" aria-hidden />{t.mark}</Button>}
      {can('share') && <Button onPress={() => act('share')}><Share2 className="icon" aria-hidden />{t.share}</Button>}
      {can('delete') && <Button kind="danger" onPress={() => act('remove')}><Trash2 className="icon" aria-hidden />{t.remove}</Button>}
      {doing === 'mark' && <Mark of={of} close={close} done={() => { close(); reload(); }} />}
      {doing === 'share' && <Share study={of.studyInstanceUID} close={close} />}
      {doing === 'open' && <OpenIn study={of.studyInstanceUID} close={close} />}
      {doing === 'remove' && <Remove of={of} close={close} />}
    </>
  );
}
