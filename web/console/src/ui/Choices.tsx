import type { ReactNode } from 'react';
import { Check } from 'lucide-react';
import { Menu as Aria, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { Button } from './Button';
import './Menu.css';

// Choices are several of some, in a menu that stays open while one chooses.
export function Choices<K extends string>({ label, button, options, chosen, onChange }: {
  label: string;
  button: ReactNode;
  options: readonly (readonly [K, string])[];
  chosen: readonly K[];
  onChange: (chosen: K[]) => void;
}) {
  return (
    <MenuTrigger>
      <Button>{button}</Button>
      <Popover className="popover" placement="bottom end">
        <Aria className="menu" aria-label={label} selectionMode="multiple" selectedKeys={chosen}
          onSelectionChange={keys => onChange(options.map(([id]) => id).filter(id => keys === 'all' || keys.has(id)))}>
          {options.map(([id, name]) => <MenuItem key={id} id={id} className="item" textValue={name}>{({ isSelected }) => <><Check className="icon" aria-hidden opacity={isSelected ? 1 : 0} />{name}</>}</MenuItem>)}
        </Aria>
      </Popover>
    </MenuTrigger>
  );
}
