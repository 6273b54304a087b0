import type { ReactNode } from 'react';
import { Button as Aria, type ButtonProps } from 'react-aria-components';
import './Button.css';

export type ButtonKind = 'plain' | 'main' | 'danger' | 'bare' | 'icon';

interface Props extends Omit<ButtonProps, 'children' | 'className' | 'style'> {
  kind?: ButtonKind; // icon: label says what it does
  label?: string;
  children?: ReactNode;
}

export function Button({ kind = 'plain', label, children, ...rest }: Props) {
  return <Aria {...rest} className="button" data-kind={kind} {...(label !== undefined && { 'aria-label': label })}>{children}</Aria>;
}
