import { createContext, useCallback, useContext, useRef, useState, type ReactNode } from 'react';
import './Status.css';

const Context = createContext<(text: string) => void>(() => {});

// How long a sentence stays, in milliseconds; what has to be acted on stands in the page instead.
const stays = 6000;

// useSay says in a sentence that something was done.
export const useSay = () => useContext(Context);

export function StatusProvider({ children }: { children: ReactNode }) {
  const [said, set] = useState<{ id: number; text: string }[]>([]);
  const next = useRef(0);
  const say = useCallback((text: string) => {
    const id = next.current++;
    set(old => [...old, { id, text }].slice(-3));
    setTimeout(() => set(old => old.filter(x => x.id !== id)), stays);
  }, []);
  return (
    <Context value={say}>
      {children}
      <div className="statuses" role="status">{said.map(({ id, text }) => <p key={id} className="status">{text}</p>)}</div>
    </Context>
  );
}
