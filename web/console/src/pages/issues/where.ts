import type { Place } from '../../api/types';

// where is the place of an issue: an address with its port, or the system.
export function where(place: Place): string {
  if (!place.address) return place.asset ?? '';
  const host = place.address.includes(':') ? `[${place.address}]` : place.address;
  return place.port ? `${host}:${place.port}` : place.address;
}
