import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as Aria } from 'react-aria-components';
import './Tabs.css';

export interface Part<K extends string> { id: K; name: ReactNode; content: () => ReactNode }

export function Tabs<K extends string>({ label, parts, selected, onChange }: {
  label: string;
  parts: Part<K>[];
  selected: K;
  onChange: (id: K) => void;
}) {
  return (
    <Aria className="tabs" selectedKey={selected} onSelectionChange={key => onChange(key as K)}>
      <TabList aria-label={label} className="tablist">{parts.map(p => <Tab key={p.id} id={p.id} className="tab">{p.name}</Tab>)}</TabList>
      {parts.map(p => <TabPanel key={p.id} id={p.id} className="tabpanel">{p.id === selected && p.content()}</TabPanel>)}
    </Aria>
  );
}
