import type { ReactNode } from 'react';
import { Check } from 'lucide-react';
import { Checkbox as Aria, type CheckboxProps } from 'react-aria-components';
import './Field.css';

export function Checkbox({ children, ...rest }: Omit<CheckboxProps, 'children' | 'className' | 'style'> & { children: ReactNode }) {
  return (
    <Aria {...rest} className="box">
      {({ isSelected }) => <><span className="mark" aria-hidden>{isSelected && <Check size={14} strokeWidth={3} />}</span><span>{children}</span></>}
    </Aria>
  );
}
