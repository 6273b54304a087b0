import { createContext, useContext } from 'react';
import type { Client } from './client';

const Context = createContext<Client | null>(null);
export const ApiProvider = Context;

export function useApi(): Client {
  const client = useContext(Context);
  if (!client) throw new Error('console: no client around this');
  return client;
}
