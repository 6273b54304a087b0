import { useState, type FormEvent } from 'react';
import { useApi } from '../../api/Api';
import type { MadeLink } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useLanguage, useWords } from '../../language';
import { once } from '../../words/once';
import { shares as own } from '../../words/shares';
import type { Language } from '../../words/words';
import { Button } from '../../ui/Button';
import { Checkbox } from '../../ui/Checkbox';
import { Chips } from '../../ui/Chips';
import { CopyLine } from '../../ui/CopyLine';
import { QR } from '../../ui/QR';
import { Reason } from '../../ui/State';
import { Time } from '../../ui/Time';

const validity = [1, 7, 30, 92] as const;

// Share makes a link to a study and shows it, once, with its password and what can be written in a mail. It stands
// in a dialog or on a page; study is a UID, or ROUTE/UID. made is called when there is a link.
export function Share({ study, made }: { study: string; made?: () => void }) {
  const t = useWords(own);
  const api = useApi();
  const { act, busy, problem } = useAct();
  const [days, setDays] = useState('7');
  const [password, setPassword] = useState(true);
  const [deidentified, setDeidentified] = useState(false);
  const [link, setLink] = useState<MadeLink>();

  const send = (e: FormEvent) => {
    e.preventDefault();
    void act(async () => {
      setLink(await call(api, 'POST /api/v1/shares', { body: { study, days: Number(days), password, deidentified } }));
      made?.();
    });
  };
  if (link) return <Made link={link} />;
  return (
    <form className="stack" onSubmit={send}>
      <div className="stack"><span className="label" aria-hidden>{t.days}</span>
        <Chips label={t.days} always options={validity.map(n => [String(n), t.day(n)] as const)} value={days} onChange={d => { if (d) setDays(d); }} /></div>
      <Checkbox isSelected={password} onChange={setPassword}>{t.withPassword}</Checkbox>
      <Checkbox isSelected={deidentified} onChange={setDeidentified}>{t.withoutIdentity}</Checkbox>
      <Reason problem={problem} />
      <div className="ends"><Button kind="main" type="submit" isDisabled={busy}>{t.make}</Button></div>
    </form>
  );
}

function Made({ link }: { link: MadeLink }) {
  const t = useWords(own);
  const o = useWords(once);
  const { language } = useLanguage();
  const [as, setAs] = useState<Language>(language);
  const words = own[as];
  const until = new Intl.DateTimeFormat(as === 'en' ? 'en-GB' : 'de-DE', { dateStyle: 'long', timeStyle: 'short' }).format(new Date(link.expires));
  const text = words.mail(link.link, until, link.password !== undefined);
  return (
    <div className="stack">
      <p className="quiet">{o.now} {o.until} <Time at={link.expires} />.</p>
      <div className="stack"><b>{o.link}</b><CopyLine text={link.link} /></div>
      {link.password && <div className="stack"><b>{o.password}</b><CopyLine text={link.password} /><p className="quiet small">{t.passwordMore}</p></div>}
      <QR text={link.link} />
      <div className="row"><b>{o.mail}</b><Chips<Language> label={o.mailLanguage} always options={[['en', 'EN'], ['de', 'DE']]} value={as} onChange={l => { if (l) setAs(l); }} /></div>
      <CopyLine text={`${words.subject}\n\n${text}`} />
    </div>
  );
}
