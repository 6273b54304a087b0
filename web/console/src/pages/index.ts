import { lazy, type ComponentType } from 'react';
import { House, MonitorSmartphone, ScrollText, ShieldAlert, Users, type LucideIcon } from 'lucide-react';
import type { Verb } from '../api/types';
import type { nav } from '../words/nav';

export interface Entry {
  path: string;
  name: keyof (typeof nav)['en'];
  verbs?: Verb[]; // one of them is needed to see the page; none: everybody
  icon?: LucideIcon; // without one it stands not among the areas
  Content: ComponentType;
}

const page = (load: () => Promise<{ default: ComponentType }>) => lazy(load);

// The pages, in the order of the areas. Each is loaded when it is opened.
export const pages: Entry[] = [
  { path: '', name: 'start', icon: House, Content: page(() => import('./start/Start')) },
  { path: 'first', name: 'first', verbs: ['configure'], Content: page(() => import('./first/First')) },
  { path: 'issues', name: 'issues', verbs: ['surface'], icon: ShieldAlert, Content: page(() => import('./issues/Issues')) },
  { path: 'devices', name: 'devices', verbs: ['devices'], icon: MonitorSmartphone, Content: page(() => import('./devices/Devices')) },
  { path: 'audit', name: 'audit', verbs: ['audit'], icon: ScrollText, Content: page(() => import('./audit/Audit')) },
  { path: 'people', name: 'people', verbs: ['people'], icon: Users, Content: page(() => import('./people/People')) },
  { path: 'account', name: 'account', Content: page(() => import('./account/Account')) },
];
