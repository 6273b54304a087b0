import type { Client } from '../../api/client';
import { call } from '../../api/routes';

// rangeOf is a target without its ports, as 10.1.0.5:104 or [fd00::5]:104.
function rangeOf(target: string): string {
  const bracket = /^\[([^\]]+)\](?::[\d,]+)?$/.exec(target);
  if (bracket?.[1]) return bracket[1];
  return target.split(':').length === 2 ? target.slice(0, target.indexOf(':')) : target;
}

// What needs no declaration, this machine itself, and what cannot have one: a name.
const here = (range: string) => /^127\.|^::1$|^localhost$/.test(range);
const isRange = (range: string) => /^[\d.]+(\/\d+)?$/.test(range) || range.includes(':');

export const targetsOf = (text: string) => text.split(/[\s;]+|,\s+/).filter(x => x);

// look declares what is not declared yet, of which somebody has just said that they may, and begins a scan of it.
export async function look(api: Client, text: string, declared: readonly string[], more: { ports?: string; calledAETitle?: string } = {}) {
  const targets = targetsOf(text);
  for (const range of targets.map(rangeOf)) {
    if (!here(range) && isRange(range) && !declared.includes(range)) await call(api, 'POST /api/v1/scope', { body: { range, mine: true } });
  }
  return call(api, 'POST /api/v1/scans', { body: { targets, ...more } });
}
