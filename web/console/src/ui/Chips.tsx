import type { ReactNode } from 'react';
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import './Chips.css';

// Chips are a filter of which one is chosen, or none.
export function Chips<K extends string>({ label, options, value, onChange, always }: {
  label: string;
  options: readonly (readonly [K, string])[];
  value: K | undefined;
  onChange: (value: K | undefined) => void;
  always?: boolean; // one is always chosen
}) {
  return (
    <ToggleButtonGroup className="chips" aria-label={label} selectionMode="single" disallowEmptySelection={always ?? false}
      selectedKeys={value === undefined ? [] : [value]} onSelectionChange={keys => onChange([...keys][0] as K | undefined)}>
      {options.map(([id, name]) => <ToggleButton key={id} id={id} className="chip">{name}</ToggleButton>)}
    </ToggleButtonGroup>
  );
}

// Tag is a word about something.
export const Tag = ({ children }: { children: ReactNode }) => <span className="tag">{children}</span>;
