import { useWords } from '../../language';
import { useSession } from '../../session';
import { start } from '../../words/start';
import { Page } from '../../ui/Page';
import { Empty } from '../../ui/State';
import { DeviceCounts } from './DeviceCounts';
import { House } from './House';
import { Surface } from './Surface';
import { Today } from './Today';
import './Start.css';

// Start says in one sentence how things stand, then the numbers, then what to do first: of what the role sees.
export default function Start() {
  const t = useWords(start);
  const { can } = useSession();
  const house = <>{can('query') && <Today />}{can('configure') && <House />}</>;
  if (can('surface')) return <Surface>{house}</Surface>;
  return <Page title={t.title}>{can('devices') && <DeviceCounts />}{house}{!can('devices') && !can('query') && <Empty title={t.quiet}>{t.quietMore}</Empty>}</Page>;
}
