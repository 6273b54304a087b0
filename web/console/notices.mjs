// What the licences of all packages in the bundle ask to be said, as a file of it. A part whose licence nobody
// looked at ends the build: parts.json says which were.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, '..', 'node_modules');

// What the tools themselves put into a bundle has names of their own.
const made = [[/^\0?vite\//, 'vite'], [/^\0?rolldown\//, 'rolldown']];

export function notices() {
  return {
    name: 'notices',
    generateBundle(_, bundle) {
      const ids = Object.values(bundle).flatMap(chunk => Object.keys(chunk.modules ?? {}));
      const names = [...new Set(ids.map(packageOf).filter(name => name !== ''))].sort();
      this.emitFile({ type: 'asset', fileName: 'NOTICES.txt', source: text(names) });
    },
  };
}

// packageOf is the package from which a module comes; empty for one of our own.
export function packageOf(id) {
  for (const [pattern, name] of made) if (pattern.test(id)) return name;
  const found = [...id.matchAll(/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g)].at(-1);
  if (found) return found[1];
  if (id.startsWith('\0')) throw new Error(`console: nobody looked at where ${JSON.stringify(id)} comes from`);
  return '';
}

function text(names) {
  const licences = JSON.parse(readFileSync(join(here, 'parts.json'), 'utf8'));
  const looked = new Map(Object.entries(licences).flatMap(([licence, list]) => list.map(name => [name, licence])));
  const out = ['The console holds parts of these packages:', ''];
  const said = new Map(); // a text that several share is there once
  for (const name of names) {
    const own = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
    if (looked.get(name) !== own.license) {
      throw new Error(`console: the licence of ${name} ${own.version} is ${own.license}, and parts.json says ${looked.get(name) ?? 'nothing'}`);
    }
    out.push(`${name} ${own.version}  ${own.license}`);
    const text = licenceOf(name, own);
    said.set(text, [...said.get(text) ?? [], name]);
  }
  for (const [text, of] of said) out.push('', '='.repeat(78), of.join(', '), '', text);
  return [...out, ''].join('\n');
}

function licenceOf(name, own) {
  const dir = join(modules, name);
  const file = readdirSync(dir).find(f => /^licen[cs]e/i.test(f));
  return file && existsSync(join(dir, file)) ? readFileSync(join(dir, file), 'utf8').trim() : `Licence: ${own.license}`;
}
