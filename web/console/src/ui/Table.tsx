import { useMemo, useState, type ReactNode } from 'react';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { Cell, Column as AriaColumn, Row, Table as Aria, TableBody, TableHeader, type SortDescriptor } from 'react-aria-components';
import './Table.css';

export interface Column<T> {
  id: string;
  name: string;
  cell: (row: T) => ReactNode;
  by?: (row: T) => string | number; // by what it can be sorted
  sorts?: boolean; // the server sorts by it: see order
  head?: boolean; // it says what the row is
  number?: boolean;
  wide?: boolean; // left out on a telephone
}

// Table shows a list that is there. With order the server sorts, and onOrder asks it to. Rows with an address are links: Enter, a click, and the middle button open it.
export function Table<T extends object>({ label, columns, rows, id, to, sorted, order, onOrder }: {
  label: string;
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string | number;
  to?: (row: T) => string | undefined;
  sorted?: SortDescriptor;
  order?: SortDescriptor;
  onOrder?: (order: SortDescriptor) => void;
}) {
  const [own, setOwn] = useState<SortDescriptor | undefined>(sorted);
  const sort = order ?? own;
  const ordered = useMemo(() => {
    const by = columns.find(c => c.id === sort?.column)?.by;
    return by && sort ? inOrder(rows, by, sort.direction === 'descending') : rows;
  }, [rows, columns, sort]);
  const head = columns.find(c => c.head) ?? columns[0];

  return (
    <div className="tablebox">
      <Aria aria-label={label} className="table" onSortChange={onOrder ?? setOwn} {...(sort && { sortDescriptor: sort })}>
        <TableHeader>
          {columns.map(c => (
            <AriaColumn key={c.id} id={c.id} isRowHeader={c === head} allowsSorting={c.by !== undefined || c.sorts === true} {...marks(c)}>
              {({ sortDirection }) => <>{c.name}{sortDirection && (sortDirection === 'ascending' ? <ArrowUp className="icon" aria-hidden /> : <ArrowDown className="icon" aria-hidden />)}</>}
            </AriaColumn>
          ))}
        </TableHeader>
        <TableBody>
          {ordered.map(row => {
            const href = to?.(row);
            return (
              <Row key={id(row)} id={id(row)} {...(href !== undefined && { href })}>
                {columns.map(c => <Cell key={c.id} {...marks(c)}>{c.cell(row)}</Cell>)}
              </Row>
            );
          })}
        </TableBody>
      </Aria>
    </div>
  );
}

function marks(c: { id: string; number?: boolean; wide?: boolean }) {
  return { 'data-column': c.id, ...(c.number && { 'data-number': true }), ...(c.wide && { 'data-wide': true }) };
}

function inOrder<T>(rows: T[], by: (row: T) => string | number, down: boolean): T[] {
  const compare = (a: T, b: T) => {
    const x = by(a), y = by(b);
    return typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true });
  };
  return [...rows].sort((a, b) => down ? compare(b, a) : compare(a, b));
}
