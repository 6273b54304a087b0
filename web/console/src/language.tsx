import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { I18nProvider } from 'react-aria-components';
import type { Language, Words } from './words/words';
import { keep, kept } from './kept';

interface Chosen {
  language: Language;
  locale: string; // for Intl: the person's own, where it is of that language
  choose: (language: Language) => void;
}

const Context = createContext<Chosen | null>(null);

const known = (text: string | null): Language | null => text === 'en' || text === 'de' ? text : null;
const base = (tag: string) => tag.toLowerCase().split('-')[0] ?? '';

// The language that was chosen on the pages to sign in, or here: they read it too (internal/console/language.go).
const cookie = '__Host-language';
const chosen = () => known(document.cookie.split('; ').find(c => c.startsWith(cookie + '='))?.slice(cookie.length + 1) ?? null);
const tell = (language: Language) => { document.cookie = `${cookie}=${language}; Path=/; Secure; SameSite=Lax; Max-Age=${365 * 24 * 3600}`; };

// preferred is that of the two which the browser names first, as the pages to sign in have it of its header.
export function preferred(tags: readonly string[]): Language {
  for (const tag of tags) {
    const language = known(base(tag));
    if (language) return language;
  }
  return 'en';
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, set] = useState<Language>(() => chosen() ?? known(kept('language')) ?? preferred(navigator.languages));
  useEffect(() => { document.documentElement.lang = language; }, [language]);
  const value = useMemo(() => ({
    language,
    locale: navigator.languages.find(tag => base(tag) === language) ?? (language === 'en' ? 'en-GB' : 'de-DE'),
    choose: (next: Language) => { keep('language', next); tell(next); set(next); },
  }), [language]);
  return <Context value={value}><I18nProvider locale={value.locale}>{children}</I18nProvider></Context>;
}

export function useLanguage(): Chosen {
  const value = useContext(Context);
  if (!value) throw new Error('console: no language around this');
  return value;
}

// useWords gives the texts of a page in the language that is chosen.
export function useWords<T>(of: Words<T>): T { return of[useLanguage().language]; }
