import { useEffect, useState } from 'react';
import { keep, kept } from './kept';

export type Theme = 'dark' | 'light';

export function useTheme(): [Theme, (next: Theme) => void] {
  const [theme, set] = useState<Theme>(() => kept('theme') === 'light' ? 'light' : 'dark');
  useEffect(() => { document.documentElement.dataset.theme = theme; }, [theme]);
  return [theme, next => { keep('theme', next); set(next); }];
}
