import { apiRoot, withQuery, type Client, type Options } from './client';
import type { Routes } from './openapi';

// Route is one of the API, as "GET /api/v1/people/{name}".
export type Route = keyof Routes;

// Reading is a route that only gives.
export type Reading = Extract<Route, `GET ${string}`>;

// Gives is what a route answers.
export type Gives<R extends Route> = Routes[R]['gives'];

// Args is what a route takes: of its path, of the query, and the body.
export type Args<R extends Route> = Omit<Routes[R], 'gives'>;

// Listed is an entry of what a route lists.
export type Listed<R extends Route> = Gives<R> extends { items: Array<infer T> } ? T : never;

// Takes makes args needed only where a route takes something that is needed.
export type Takes<R extends Route> = object extends Args<R> ? [args?: Args<R>] : [args: Args<R>];

// addressOf is the path of a route below the root of the API, with its query.
export function addressOf<R extends Route>(route: R, args?: Args<R>): string {
  const given = (args ?? {}) as { path?: { [name: string]: string }; query?: { [name: string]: string } };
  const path = route.slice(route.indexOf(' ') + 1 + apiRoot.length).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given.path?.[name] ?? ''));
  return withQuery(path, given.query ?? {});
}

// call asks for a route: what it takes and gives is what openapi.json says, or this does not compile.
export async function call<R extends Route>(api: Client, route: R, args?: Args<R>, options?: Options): Promise<Gives<R>> {
  const method = route.slice(0, route.indexOf(' '));
  const at = addressOf(route, args);
  const body = (args as { body?: unknown } | undefined)?.body;
  switch (method) {
    case 'GET': return api.get(at, options);
    case 'DELETE': return api.del(at, options, body) as Promise<Gives<R>>;
    case 'PUT': return api.put(at, body, options);
    case 'PATCH': return api.patch(at, body, options);
    default: return api.post(at, body, options);
  }
}
