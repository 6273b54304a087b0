import type { PersonName } from '../../api/openapi';
import { useLanguage } from '../../language';

// written is a person name (PS3.5 6.2.1) as people write it: family name, given and middle.
export function written(name: PersonName): string {
  const text = name.alphabetic || name.ideographic || name.phonetic || '';
  const [family = '', given = '', middle = ''] = text.split('^').map(x => x.trim());
  return [family, [given, middle].filter(Boolean).join(' ')].filter(Boolean).join(', ');
}

// Day is a date of DICOM, which has no time zone, with its time where there is one.
export function Day({ of, time }: { of: string | undefined; time?: string | undefined }) {
  const { locale } = useLanguage();
  const date = of ? new Date(of + 'T00:00:00Z') : undefined;
  if (!date || Number.isNaN(date.getTime())) return <>–</>;
  return <span className="nowrap">{new Intl.DateTimeFormat(locale, { day: '2-digit', month: '2-digit', year: 'numeric', timeZone: 'UTC' }).format(date)}{time && <span className="quiet"> {time.slice(0, 5)}</span>}</span>;
}

// Addresses at which a study is looked at.
export const viewerOf = (...studies: string[]) => `/viewer/viewer?StudyInstanceUIDs=${studies.map(encodeURIComponent).join(',')}`;
export const lightOf = (study: string) => `/view/?study=${encodeURIComponent(study)}`;
