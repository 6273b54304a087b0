import { useState } from 'react';
import { useApi } from '../../api/Api';
import type { Share } from '../../api/openapi';
import { call } from '../../api/routes';
import { useAct } from '../../api/useAct';
import { useListed } from '../../api/useRoute';
import { useWords } from '../../language';
import { address, useFragment } from '../../route';
import { useSession } from '../../session';
import { common } from '../../words/common';
import { shares as own } from '../../words/shares';
import { Button } from '../../ui/Button';
import { Tag } from '../../ui/Chips';
import { Dialog, Ends } from '../../ui/Dialog';
import { Link } from '../../ui/Link';
import { Page } from '../../ui/Page';
import { Empty, Loaded, Reason } from '../../ui/State';
import { Switch } from '../../ui/Switch';
import { Table } from '../../ui/Table';
import { Time } from '../../ui/Time';
import { Share as Make } from './Share';

const counts = (s: Share) => !s.revoked && new Date(s.expires) > new Date();

// Shares is the list of links to studies, and the way to make one of a study that the address names.
export default function Shares() {
  const t = useWords(own);
  const c = useWords(common);
  const api = useApi();
  const { can } = useSession();
  const { act, problem } = useAct();
  const [shows, show] = useFragment();
  const [busy, setBusy] = useState<string>();
  const study = shows.get('study'); // a link to it is made
  const all = shows.get('all') === 'true';
  const list = useListed('GET /api/v1/shares', {}, { on: ['shares', 'audit'] });
  const revoke = async (id: string) => {
    setBusy(id);
    await act(() => call(api, 'DELETE /api/v1/shares/{id}', { path: { id } }), t.revoked);
    setBusy(undefined);
    list.reload();
  };
  const state = (s: Share) => s.revoked ? t.revokedState : counts(s) ? t.counts : t.over;
  return (
    <Page title={t.title} more={t.more}>
      <Switch isSelected={!all} onChange={on => show('all', on ? undefined : 'true')}>{t.onlyCounting}</Switch>
      <Reason problem={problem} />
      {study && <Dialog title={t.makeFor} onClose={() => show('study', undefined)}><p className="mono">{study}</p><Make study={study} made={list.reload} /><Ends><Button onPress={() => show('study', undefined)}>{c.close}</Button></Ends></Dialog>}
      <Loaded from={list}>{items => {
        const rows = all ? items : items.filter(counts);
        if (rows.length === 0) return <Empty title={t.none}>{t.noneMore}</Empty>;
        return <>
          <Table label={t.title} rows={rows} id={s => s.id} columns={[
            { id: 'study', name: t.study, head: true, cell: s => <span className="mono">{s.study}</span>, by: s => s.study },
            { id: 'with', name: t.protection, wide: true, cell: s => <span className="row">{<Tag>{s.hasPassword ? t.password : t.plain}</Tag>}{s.deidentified && <Tag>{t.deidentified}</Tag>}</span> },
            { id: 'owner', name: t.owner, wide: true, cell: s => s.owner ?? '–', by: s => s.owner ?? '' },
            { id: 'until', name: t.until, cell: s => <Time at={s.expires} />, by: s => s.expires },
            { id: 'used', name: t.used, wide: true, cell: s => s.used ? <Time at={s.used} /> : t.never, by: s => s.used ?? '' },
            { id: 'state', name: t.state, wide: true, cell: state, by: state },
            { id: 'do', name: t.revoke, cell: s => <span className="row">
              {counts(s) && <Button isDisabled={busy === s.id} onPress={() => void revoke(s.id)}>{t.revoke}</Button>}
              {can('audit') && <Link to={address('audit', { principal: `share ${s.id}` })}>{t.accesses}</Link>}
            </span> },
          ]} />
          {list.more && <Button onPress={list.more} isDisabled={list.loading}>{c.more}</Button>}
        </>;
      }}</Loaded>
    </Page>
  );
}
