import { useEffect } from 'react';
import { useRoute } from '../../api/useRoute';
import { useStored } from '../../api/useStored';
import { address, navigate, useFragment } from '../../route';
import { useSession } from '../../session';

// useFirst leads whoever administrates an archive in which nothing is to the first steps, unless they want to do
// them later.
export function useFirst() {
  const { can } = useSession();
  const [shows] = useFragment();
  const off = !can('configure') || shows.get('first') === 'later';
  const devices = useRoute('GET /api/v1/devices', {}, { off });
  const assets = useRoute('GET /api/v1/assets', { query: { limit: '2' } }, { off });
  const bare = devices.data?.items.length === 0 && assets.data?.items.every(a => a.sources.every(s => s.source === 'self')); // of itself it always knows
  const stored = useStored(off || !bare);
  const lead = bare && stored === false;
  useEffect(() => { if (lead) navigate(address('first'), { replace: true }); }, [lead]);
}
