import { useState, type FormEvent } from 'react';
import { useWords } from '../../language';
import { address, navigate } from '../../route';
import { audit as own } from '../../words/audit';
import { Button } from '../../ui/Button';
import { Link } from '../../ui/Link';
import { Select } from '../../ui/Select';
import { TextField } from '../../ui/TextField';
import { filters, type Query } from './query';
import './Filter.css';

const any = 'any';

// Filter is what records are searched by. It counts when it is sent, and stands in the address then.
export function Filter({ query }: { query: Query }) {
  const t = useWords(own);
  const [now, setNow] = useState(query);
  const set = (name: keyof Query) => (value: string) => setNow({ ...now, [name]: value === any ? '' : value });
  const text = (name: keyof Query) => ({ value: now[name] ?? '', onChange: set(name), autoComplete: 'off', maxLength: 256 });
  const choice = (words: Record<string, string>) => [[any, t.any] as const, ...Object.entries(words)];
  const send = (e: FormEvent) => { e.preventDefault(); navigate(address('audit', now)); };
  const given = filters.filter(f => f !== 'failed' && query[f]).length;
  return (
    <details className="panel" open={given > 0}>
      <summary>{t.filter}{given > 0 && ` (${given})`}</summary>
      <form className="auditfilter" onSubmit={send}>
        <Select label={t.event} options={choice(t.events)} value={now.event || any} onChange={set('event')} />
        <TextField label={t.principal} {...text('principal')} />
        <TextField label={t.person} {...text('person')} />
        <TextField label={t.patient} {...text('patient')} />
        <TextField label={t.study} {...text('study')} />
        <TextField label={t.address} {...text('address')} />
        <Select label={t.door} options={choice(t.doors)} value={now.door || any} onChange={set('door')} />
        <Select label={t.action} options={choice(t.actions)} value={now.action || any} onChange={set('action')} />
        <TextField label={t.since} placeholder="2026-11-01" {...text('since')} />
        <TextField label={t.until} placeholder="2026-11-30" {...text('until')} />
        <p className="quiet small">{t.onlyHere}</p>
        <div className="ends"><Link to={address('audit')} kind="plain">{t.clear}</Link><Button kind="main" type="submit">{t.search}</Button></div>
      </form>
    </details>
  );
}
