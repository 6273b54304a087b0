// Opens every object of an archive on the light page. Arguments: the origin, name, password, and a folder for pictures, or nothing.
// Prints how each object is shown, by its SOP Instance UID.
import { launch, signIn, watch } from "./person.mjs";

const [origin, name, password, pictures] = process.argv.slice(2);
const browser = await launch("--disable-gpu");
const seen = { troubles: [], hosts: {}, objects: {}, looked: [] };
const plain = (text) => text.replaceAll("&amp;", "&").replaceAll("&#34;", '"').replaceAll("&#39;", "'").replaceAll("&#43;", "+").replaceAll("&lt;", "<").replaceAll("&gt;", ">");

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  watch(page, seen);
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI)));
  await page.goto(origin + "/view/?study=1.2.3");
  await signIn(page, name, password);
  await page.waitForURL("**/view/?*");
  seen.troubles = []; // there is no such study

  const get = async (address, headers) => {
    const r = await context.request.get(origin + address, { headers });
    return { status: r.status(), text: await r.text(), type: r.headers()["content-type"] || "" };
  };
  const json = async (address) => {
    const r = await get(address, { Accept: "application/dicom+json" });
    return r.status === 200 ? JSON.parse(r.text) : [];
  };
  const value = (match, tag) => match[tag]?.Value?.[0];

  const kinds = new Map(); // an address for each kind of object
  for (let offset = 0, list; (list = await json("/dicom-web/studies?limit=500&offset=" + offset)).length > 0; offset += 500) {
    for (const study of list.map((m) => value(m, "0020000D"))) {
      const classes = {};
      for (const m of await json("/dicom-web/studies/" + study + "/instances?limit=1000")) {
        classes[value(m, "00080018")] = value(m, "00080016") + " " + value(m, "00083002");
      }
      const overview = await get("/view/?study=" + study);
      if (overview.status !== 200) seen.troubles.push("a study is not shown: " + overview.status);
      for (const cover of overview.text.matchAll(/<img src="([^"]+)" alt=""/g)) {
        const r = await get(plain(cover[1]));
        if (r.status !== 200) seen.troubles.push("a picture of a series is broken: " + r.status);
      }
      for (const [, address] of overview.text.matchAll(/<li><a href="([^"]+)"/g)) {
        await series(plain(address), classes, kinds);
      }
    }
  }

  async function series(first, classes, kinds) {
    for (let at = 1, total = 1; at <= total; at++) {
      const address = first.replace("frame=1", "frame=" + at);
      const r = await get(address);
      if (r.status !== 200) { seen.troubles.push("a place is not shown: " + r.status); return; }
      total = Number(/id="place">\d+ \/ (\d+)/.exec(r.text)[1]);
      const uid = /\/instances\/([0-9.]+)\?accept=/.exec(r.text)?.[1];
      if (!uid) { seen.troubles.push("no download"); continue; }
      if (seen.objects[uid]) continue; // another frame of it
      const how = await shown(r.text);
      seen.objects[uid] = how;
      const kind = classes[uid] + " " + how;
      if (!kinds.has(kind)) kinds.set(kind, address);

      const stack = /data-stack="([^"]+)"/.exec(r.text);
      if (stack) {
        const { list } = JSON.parse(plain(stack[1]));
        at += list.find((x) => x.p.endsWith("/" + uid)).n - 1;
      }
    }
  }

  // shown is how a page shows an object. A picture that it names has to be there.
  async function shown(text) {
    const broken = async (pattern, type) => {
      const src = pattern.exec(text);
      const r = await get(plain(src[1]));
      if (r.status !== 200 || !r.type.startsWith(type)) seen.troubles.push("broken: " + r.status + " " + r.type);
    };
    if (text.includes('id="frame"')) {
      await broken(/<img id="frame"[^>]* src="([^"]+)"/, "image/jpeg");
      return text.includes('class="under"') ? "picture over its source" : "picture";
    }
    if (text.includes('class="curves"')) {
      await broken(/class="curves"><img src="([^"]+)"/, "image/svg+xml");
      return "curves";
    }
    if (text.includes('class="document"')) return "document";
    if (text.includes('class="report"')) return "text";
    return plain(/<p class="why">([^<]*)</.exec(text)[1]);
  }

  for (const [kind, address] of kinds) {
    await page.goto(origin + address);
    await page.waitForLoadState("load");
    const bad = await page.evaluate(() => [...document.images].filter((i) => !i.complete || i.naturalWidth === 0).length);
    if (bad > 0) seen.troubles.push("a broken picture of " + kind);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) seen.troubles.push("too wide: " + kind);
    if (pictures) await page.screenshot({ path: pictures + "/kind-" + seen.looked.length + ".png" });
    seen.looked.push(kind);
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
