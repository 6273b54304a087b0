import { useChanged, type Topic } from './Events';
import { addressOf, type Args, type Gives, type Listed, type Reading } from './routes';
import { useItems, useResource, type Items, type Resource } from './useResource';

// How a page follows what it shows: on is of what it is told, and off loads nothing.
export interface Following { on?: readonly Topic[]; off?: boolean }

// useRoute loads what a route of the API gives, and again when args are others, or when the server says that
// something of the topics has changed.
export function useRoute<R extends Reading>(route: R, args?: Args<R>, { on = [], off }: Following = {}): Resource<Gives<R>> {
  const resource = useResource<Gives<R>>(off ? undefined : addressOf(route, args));
  useChanged(on, resource.reload);
  return resource;
}

// useListed is useRoute for a list, with more() for its next page.
export function useListed<R extends Reading>(route: R, args?: Args<R>, { on = [], off }: Following = {}): Items<Listed<R>> {
  const items = useItems<Listed<R>>(off ? undefined : addressOf(route, args));
  useChanged(on, items.reload);
  return items;
}
