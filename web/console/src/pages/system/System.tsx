import { useWords } from '../../language';
import { useFragment } from '../../route';
import { system as own } from '../../words/system';
import { Page } from '../../ui/Page';
import { Tabs } from '../../ui/Tabs';
import { Settings } from './Settings';
import { States } from './States';

const tabs = ['states', 'settings'] as const;
type Tab = typeof tabs[number];

// System is how the server is, and what it was told.
export default function System() {
  const t = useWords(own);
  const [shows, show] = useFragment();
  const tab = tabs.find(x => x === shows.get('tab')) ?? 'states';
  return (
    <Page title={t.title}>
      <Tabs<Tab> label={t.title} selected={tab} onChange={x => show('tab', x === 'states' ? undefined : x)} parts={[
        { id: 'states', name: t.states, content: () => <States /> },
        { id: 'settings', name: t.settings, content: () => <Settings /> },
      ]} />
    </Page>
  );
}
