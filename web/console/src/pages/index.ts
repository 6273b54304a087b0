import { lazy, type ComponentType } from 'react';
import { Archive, DoorOpen, Eye, FileCheck, House, Layers, Link2, MonitorSmartphone, ScrollText, ServerCog, ShieldAlert, Siren, Users, type LucideIcon } from 'lucide-react';
import type { Verb } from '../api/types';
import type { nav } from '../words/nav';

export interface Entry {
  path: string;
  name: keyof (typeof nav)['en'];
  verbs?: Verb[]; // one of them is needed to see the page; none: everybody
  roles?: string[]; // one of them is needed, too
  icon?: LucideIcon; // without one it stands not among the areas
  Content: ComponentType;
}

const page = (load: () => Promise<{ default: ComponentType }>) => lazy(load);

// The pages, in the order of the areas. Each is loaded when it is opened.
export const pages: Entry[] = [
  { path: '', name: 'start', icon: House, Content: page(() => import('./start/Start')) },
  { path: 'first', name: 'first', verbs: ['configure'], Content: page(() => import('./first/First')) },
  { path: 'studies', name: 'studies', verbs: ['query'], icon: Layers, Content: page(() => import('./studies/Studies')) },
  { path: 'studies/upload', name: 'upload', verbs: ['store'], Content: page(() => import('./upload/Upload')) },
  { path: 'studies/study', name: 'study', verbs: ['query'], Content: page(() => import('./study/Study')) },
  { path: 'surface', name: 'surface', verbs: ['surface'], icon: ShieldAlert, Content: page(() => import('./surface/Issues')) },
  { path: 'surface/systems', name: 'systems', verbs: ['surface'], Content: page(() => import('./surface/Systems')) },
  { path: 'surface/system', name: 'system', verbs: ['surface'], Content: page(() => import('./surface/System')) },
  { path: 'surface/scans', name: 'scans', verbs: ['surface'], Content: page(() => import('./surface/Scans')) },
  { path: 'surface/changes', name: 'changes', verbs: ['surface'], Content: page(() => import('./surface/Changes')) },
  { path: 'surface/advisories', name: 'advisories', verbs: ['surface'], Content: page(() => import('./surface/Advisories')) },
  { path: 'surface/report', name: 'report', verbs: ['surface'], Content: page(() => import('./surface/Report')) },
  { path: 'devices', name: 'devices', verbs: ['devices'], icon: MonitorSmartphone, Content: page(() => import('./devices/Devices')) },
  { path: 'shares', name: 'shares', verbs: ['share'], icon: Link2, Content: page(() => import('./shares/Shares')) },
  { path: 'quarantine', name: 'quarantine', verbs: ['quarantine'], icon: Archive, Content: page(() => import('./quarantine/Quarantine')) },
  { path: 'gate', name: 'gate', verbs: ['configure'], icon: DoorOpen, Content: page(() => import('./gate/Gate')) },
  { path: 'audit', name: 'audit', verbs: ['audit'], icon: ScrollText, Content: page(() => import('./audit/Audit')) },
  { path: 'accesses', name: 'accesses', verbs: ['audit', 'query'], icon: Eye, Content: page(() => import('./accesses/Accesses')) },
  { path: 'ledger', name: 'ledger', verbs: ['verify'], icon: FileCheck, Content: page(() => import('./ledger/Ledger')) },
  { path: 'emergency', name: 'emergency', verbs: ['query'], roles: ['referrer'], icon: Siren, Content: page(() => import('./emergency/Emergency')) },
  { path: 'people', name: 'people', verbs: ['people'], icon: Users, Content: page(() => import('./people/People')) },
  { path: 'server', name: 'server', verbs: ['configure'], icon: ServerCog, Content: page(() => import('./system/System')) },
  { path: 'account', name: 'account', Content: page(() => import('./account/Account')) },
];
