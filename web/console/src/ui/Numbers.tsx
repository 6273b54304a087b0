import { useLanguage } from '../language';

export function Count({ of }: { of: number }) {
  const { locale } = useLanguage();
  return <>{new Intl.NumberFormat(locale).format(of)}</>;
}

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'];

// Bytes is a size as people say it: 1.2 MB.
export function Bytes({ of }: { of: number }) {
  const { locale } = useLanguage();
  const step = Math.min(units.length - 1, of < 1000 ? 0 : Math.floor(Math.log10(of) / 3));
  const form = new Intl.NumberFormat(locale, { style: 'unit', unit: units[step] ?? 'byte', unitDisplay: step === 0 ? 'long' : 'short', maximumSignificantDigits: 3 });
  return <span className="nowrap">{form.format(of / 1000 ** step)}</span>;
}

// Percent is a part of a whole, from 0 to 1.
export function Percent({ of }: { of: number }) {
  const { locale } = useLanguage();
  return <>{new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(of)}</>;
}
