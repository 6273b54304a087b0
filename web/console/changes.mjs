// What is changed in the packages of the console. Each change says how often it has to be made: another release
// that needs it elsewhere ends the build, and not somebody's day.

// Texts of React Aria in other languages than those of the console.
const foreign = /\/react-(?:aria|stately|aria-components)\/dist\/.*\/intl\/.*\/(?!en-US|de-DE)[a-z]{2}-[A-Z]{2}\.mjs$/;

const changes = [
  {
    // Trusted Types take no text for what a browser would read as a part of the page.
    what: 'how announcements are cleared', in: /\/react-aria\/dist\/private\/live-announcer\/LiveAnnouncer\.mjs$/,
    find: /\.innerHTML = ''/g, put: '.replaceChildren()', times: 2,
  },
  {
    // The policy has no styles but those of files; ours are in ui/base.css.
    what: 'the style of what can be pressed', in: /\/react-aria\/dist\/private\/interactions\/usePress\.mjs$/,
    find: /ownerDocument\.head\.prepend\(style\)/g, put: 'undefined', times: 1,
  },
  {
    what: 'the style that keeps a page from being scrolled', in: /\/react-aria\/dist\/private\/overlays\/usePreventScroll\.mjs$/,
    find: /document\.head\.prepend\(style\)/g, put: 'undefined', times: 1,
  },
];

// The order of the layers of all styles: the first style sheet that a browser reads decides it, whichever that is.
const layers = '@layer reset, tokens, base, ui, shell, pages;\n';

export const inLayers = () => ({
  name: 'layers',
  enforce: 'pre',
  transform: (code, id) => id.endsWith('.css') ? { code: layers + code, map: null } : null,
});

export function change() {
  const made = new Map(changes.map(c => [c, 0]));
  return {
    name: 'change',
    load: id => foreign.test(id) ? 'export default {};' : null,
    transform(code, id) {
      const mine = changes.filter(c => c.in.test(id));
      if (mine.length === 0) return null;
      for (const c of mine) {
        code = code.replace(c.find, () => {
          made.set(c, made.get(c) + 1);
          return c.put;
        });
      }
      return { code, map: null };
    },
    buildEnd(error) {
      if (error) return;
      for (const [c, n] of made) {
        if (n !== c.times) throw new Error(`console: ${c.what} was found ${n} times and not ${c.times}: look at this release`);
      }
    },
  };
}
