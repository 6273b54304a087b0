import type { ReactNode } from 'react';
import { Menu as Aria, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { Button } from './Button';
import './Menu.css';

export interface Entry { id: string; name: string; icon?: ReactNode; to?: string; act?: () => void }

export function Menu({ label, button, entries, kind = 'bare' }: { label: string; button: ReactNode; entries: Entry[]; kind?: 'bare' | 'icon' | 'plain' }) {
  return (
    <MenuTrigger>
      <Button kind={kind} label={label}>{button}</Button>
      <Popover className="popover" placement="bottom end">
        <Aria className="menu">
          {entries.map(({ id, name, icon, to, act }) => (
            <MenuItem key={id} id={id} className="item" textValue={name} {...(to && { href: to })} {...(act && { onAction: act })}>{icon}{name}</MenuItem>
          ))}
        </Aria>
      </Popover>
    </MenuTrigger>
  );
}
