import { useId, type ReactNode } from 'react';
import { Circle, CircleCheck } from 'lucide-react';
import { useWords } from '../../language';
import { first as own } from '../../words/first';
import './First.css';

// Card is one of the first steps; it says by itself when it is done.
export function Card({ title, done, children }: { title: string; done: boolean | undefined; children: ReactNode }) {
  const t = useWords(own);
  const id = useId();
  return (
    <section className="panel stack step" aria-labelledby={id} data-done={done ?? false}>
      <header className="row">
        {done ? <CircleCheck className="icon" aria-hidden /> : <Circle className="icon" aria-hidden />}
        <h2 id={id}>{title}</h2>
        <span className="stepstate" role="status">{done ? t.done : t.open}</span>
      </header>
      {children}
    </section>
  );
}
