import type { RouteRow } from '../../api/openapi';
import { useLanguage, useWords } from '../../language';
import { gate as own } from '../../words/gate';

// useRouteState says in words how a route stands.
export function useRouteState(): (r: RouteRow) => string {
  const t = useWords(own);
  const { locale } = useLanguage();
  return r => {
    if (r.closed) return t.closed;
    if (!r.learnUntil) return t.open;
    const until = new Date(r.learnUntil);
    return until > new Date() ? t.learning(new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(until)) : `${t.open}, ${t.learned}`;
  };
}
