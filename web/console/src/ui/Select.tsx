import { ChevronDown } from 'lucide-react';
import { Button, Label, ListBox, ListBoxItem, Popover, Select as Aria, SelectValue } from 'react-aria-components';
import { useWords } from '../language';
import { common } from '../words/common';
import './Field.css';
import './Menu.css';

// Select is one of few; options are values and what they are called.
export function Select<K extends string>({ label, options, value, onChange }: {
  label: string;
  options: readonly (readonly [K, string])[];
  value: K | undefined;
  onChange: (value: K) => void;
}) {
  const t = useWords(common);
  return (
    <Aria className="field" selectedKey={value ?? null} onSelectionChange={key => onChange(key as K)} placeholder={t.choose}>
      <Label className="label">{label}</Label>
      <Button className="choice"><SelectValue /><ChevronDown className="icon" aria-hidden /></Button>
      <Popover className="popover"><ListBox className="menu">
        {options.map(([id, name]) => <ListBoxItem key={id} id={id} className="item" textValue={name}>{name}</ListBoxItem>)}
      </ListBox></Popover>
    </Aria>
  );
}
