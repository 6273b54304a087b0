// Makes what stands under /viewer/ from the package of OHIF: taken by its pinned digest, freed of
// what is not used, led to its new address, and made fit for a content security policy
// without unsafe-eval. Every change says how often it has to be made: another release of OHIF that
// needs it elsewhere ends the build, and not a reader's day.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, '..', 'node_modules', '.cache', 'viewer');
const out = join(here, '..', 'out', 'viewer');
const pinned = JSON.parse(readFileSync(join(here, 'pinned.json'), 'utf8'));
const own = ['config.js', 'boot.js'];

// Left out: models that are loaded from elsewhere, signing in of OHIF's own, workers that
// keep pages without network, and pictures for telephones' screens.
const leftOut = [
  'ort', 'customizations', '_headers', '_redirects', 'serve.json', 'google.js', 'polyfill.min.js', 'es6-shim.min.js',
  'oidc-client.min.js', 'silent-refresh.html', 'sw.js', 'init-service-worker.js', 'manifest.json', 'app-config.js',
];
const leftOutOfAssets = /^(apple-touch-|android-chrome-|firefox_app|mstile|yandex|coast|browserconfig|manifest)/;

fetchPackage();
const licence = readFileSync(join(cache, 'package', 'LICENSE'), 'utf8').trim();
const files = place();
await change(files);
console.log(`viewer: OHIF ${pinned.version}, ${count(out)} files, ${(bytes(out) / 1e6).toFixed(1)} MB`);

// fetchPackage takes the package once, and holds it against its digest.
function fetchPackage() {
  mkdirSync(cache, { recursive: true });
  const name = `${pinned.name.replace('@', '').replace('/', '-')}-${pinned.version}.tgz`;
  const file = join(cache, name);
  if (!existsSync(file)) {
    execFileSync('npm', ['pack', `${pinned.name}@${pinned.version}`, '--silent', '--pack-destination', cache], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const digest = 'sha512-' + createHash('sha512').update(readFileSync(file)).digest('base64');
  if (digest !== pinned.integrity) {
    rmSync(file);
    throw new Error(`viewer: ${name} is not what is pinned: ${digest}`);
  }
  const unpacked = join(cache, 'package');
  rmSync(unpacked, { recursive: true, force: true });
  execFileSync('tar', ['-xzf', file, '-C', cache]);
}

// place puts the files where they are built from, without what is left out.
function place() {
  rmSync(out, { recursive: true, force: true });
  cpSync(join(cache, 'package', 'dist'), out, { recursive: true });
  rmSync(join(cache, 'package'), { recursive: true, force: true });
  for (const name of leftOut) rmSync(join(out, name), { recursive: true, force: true });
  for (const name of readdirSync(join(out, 'assets'))) {
    if (leftOutOfAssets.test(name)) rmSync(join(out, 'assets', name));
  }
  for (const file of walk(out)) {
    if (file.endsWith('.map')) rmSync(file);
  }
  return [...walk(out)];
}

// change makes the changes and writes each script short.
async function change(files) {
  const views = readFileSync(join(here, 'views.js'), 'utf8').trim();
  const changes = [
    { what: 'the address of the bundles', find: /__webpack_require__\.p = "\/"/g, put: '__webpack_require__.p = "/viewer/"', times: 8, in: /\.js$/ },
    { what: 'the address of the slide viewer', find: /'\/dicom-microscopy-viewer\//g, put: "'/viewer/dicom-microscopy-viewer/", times: 1, in: /\.js$/ },
    { what: 'the address of pictures and fonts', find: /url\(\//g, put: 'url(/viewer/', times: pinned.addresses, in: /\.css$/ },
    // Its licence (AGPL-3.0) is not that of this program, and its tours are not shown.
    {
      what: 'the guide through the pages', times: 1, in: /\.js$/,
      find: /;\/\/ CONCATENATED MODULE: \S*shepherd\.mjs\n\/\*! shepherd\.js [\d.]+ \*\/\n[\s\S]*?\n\/\/# sourceMappingURL=shepherd\.mjs\.map\n/g,
      put: ';const shepherd_fe = { Tour: class { addStep() {} start() {} } };\n',
    },
    {
      what: 'where the styles of the guide stood', times: 1, in: /\.js$/, put: '',
      find: /;\/\/ CONCATENATED MODULE: \S*shepherd\.js\/dist\/css\/shepherd\.css\n/g,
    },
    { what: 'the styles of the guide', find: /[^{}]*shepherd[^{}]*\{[^{}]*\}/g, put: '', times: pinned.guideStyles, in: /\.css$/ },
    {
      what: 'the views of ndarray', put: views, times: 4, in: /\.js$/,
      find: /function compileConstructor\(dtype, dimension\) \{[\s\S]*?return procedure\(CACHED_CONSTRUCTORS\[dtype\], order\)\s*;?\s*\n\s*\}/g,
    },
  ];

  const made = new Map(changes.map(c => [c, 0]));
  const parts = new Set();
  const notices = new Set();
  for (const file of files) {
    if (!/\.(js|css)$/.test(file)) continue;
    let text = readFileSync(file, 'utf8');
    for (const c of changes.filter(c => c.in.test(file))) {
      text = text.replace(c.find, () => {
        made.set(c, made.get(c) + 1);
        return c.put;
      });
    }
    if (file.endsWith('.js')) {
      for (const [, name] of text.matchAll(/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g)) parts.add(name);
      for (const [notice] of text.matchAll(/\/\*[!*](?:[^*]|\*(?!\/))*(?:@license|@preserve|[Cc]opyright|\(c\) )(?:[^*]|\*(?!\/))*\*\//g)) notices.add(notice);
    }
    if (file.endsWith('.js') && dirname(file) === out) {
      text = (await transform(text, { minify: true, charset: 'utf8', legalComments: 'none', logLevel: 'error' })).code;
    }
    writeFileSync(file, text);
  }
  for (const [c, n] of made) {
    if (n !== c.times) throw new Error(`viewer: ${c.what} was found ${n} times and not ${c.times}: look at this release of OHIF`);
  }

  writeFileSync(join(out, 'NOTICES.txt'), noticesOf(parts, notices));

  const app = readdirSync(out).filter(name => /^app\.bundle\..*\.js$/.test(name));
  if (app.length !== 1) throw new Error(`viewer: ${app.length} bundles of the application`);
  writeFileSync(join(out, 'index.html'), readFileSync(join(here, 'index.html'), 'utf8').replace('{{app}}', app[0]));
  for (const name of own) cpSync(join(here, name), join(out, name));
}

// noticesOf is what the licences of all that is in it ask to be said. A part whose licence nobody looked at
// ends the build.
function noticesOf(parts, notices) {
  const licences = JSON.parse(readFileSync(join(here, 'parts.json'), 'utf8'));
  const of = new Map(Object.entries(licences).flatMap(([licence, names]) => names.map(name => [name, licence])));
  const unknown = [...parts].filter(name => !of.has(name));
  if (unknown.length > 0) throw new Error(`viewer: the licence of ${unknown.join(', ')} stands in no row of parts.json`);
  return [
    `The viewer is OHIF ${pinned.version}, changed as web/viewer/build.mjs says. It holds parts of these packages:`,
    '', ...[...parts].sort().map(name => `${name}  ${of.get(name)}`),
    '', 'The licence of OHIF:', '', licence,
    '', 'What stands in the sources of its parts:', '', ...[...notices].sort(), '',
  ].join('\n');
}

function* walk(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const file = join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(file);
    else yield file;
  }
}

function count(dir) { return [...walk(dir)].length; }
function bytes(dir) { return [...walk(dir)].reduce((n, file) => n + statSync(file).size, 0); }
