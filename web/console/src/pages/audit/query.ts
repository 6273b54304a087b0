// What records are searched by, as the address of the page and the API have it.
export const filters = ['event', 'principal', 'person', 'patient', 'study', 'address', 'door', 'action', 'since', 'until', 'failed'] as const;
export type Name = typeof filters[number];
export type Query = Partial<Record<Name, string>>;

export function queryOf(shows: URLSearchParams): Query {
  const query: Query = {};
  for (const name of filters) {
    const value = shows.get(name);
    if (value) query[name] = value;
  }
  return query;
}
