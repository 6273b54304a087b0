import type { Place } from '../../api/types';

// where is the place of an issue: an address with its port, or the system.
export function where(place: Place): string {
  if (!place.address) return place.asset ?? '';
  const host = place.address.includes(':') ? `[${place.address}]` : place.address;
  return place.port ? `${host}:${place.port}` : place.address;
}

interface Named { id: string; name?: string; hostname?: string; aeTitles?: string[]; addresses?: string[] }

// nameOf is how a system is called: as somebody named it, else as it calls itself.
export const nameOf = (a: Named) => a.name ?? a.hostname ?? a.aeTitles?.[0] ?? a.addresses?.[0] ?? a.id;

// productOf is what it is.
export const productOf = (a: { vendor?: string; product?: string; version?: string }) => [a.vendor === a.product ? undefined : a.vendor, a.product, a.version].filter(x => x).join(' ');
