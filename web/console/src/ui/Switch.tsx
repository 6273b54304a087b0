import type { ReactNode } from 'react';
import { Switch as Aria, type SwitchProps } from 'react-aria-components';
import './Field.css';

export function Switch({ children, ...rest }: Omit<SwitchProps, 'children' | 'className' | 'style'> & { children: ReactNode }) {
  return <Aria {...rest} className="box"><span className="track" aria-hidden /><span>{children}</span></Aria>;
}
