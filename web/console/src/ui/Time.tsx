import { Focusable, Tooltip, TooltipTrigger } from 'react-aria-components';
import { useLanguage, useWords } from '../language';
import { common } from '../words/common';
import './Time.css';

const forms: Record<'time' | 'day' | 'exact', Intl.DateTimeFormatOptions> = {
  time: { dateStyle: 'medium', timeStyle: 'short' },
  day: { dateStyle: 'medium' },
  exact: { dateStyle: 'medium', timeStyle: 'medium' },
};

// Time is a time where the person is; pointing at it or going to it by keyboard shows it in UTC.
export function Time({ at, form = 'time' }: { at: string | undefined; form?: 'time' | 'day' | 'exact' }) {
  const { locale } = useLanguage();
  const t = useWords(common);
  const date = at === undefined ? undefined : new Date(at);
  if (!date || Number.isNaN(date.getTime())) return <>–</>;
  const local = new Intl.DateTimeFormat(locale, forms[form]).format(date);
  const universal = t.universal(new Intl.DateTimeFormat(locale, { ...forms.exact, timeZone: 'UTC' }).format(date));
  return (
    <TooltipTrigger delay={300}>
      <Focusable><time className="time" role="note" dateTime={date.toISOString()}>{local}</time></Focusable>
      <Tooltip className="tip">{universal}</Tooltip>
    </TooltipTrigger>
  );
}
