// Opens studies in the viewer, one after the other, and holds each picture against what the server renders. Arguments:
// the origin, name, password, a file with the objects, and a folder for pictures (or none). Prints what it saw.
import { readFileSync } from "node:fs";
import { launch, signIn } from "./person.mjs";

const [origin, name, password, list, pictures] = process.argv.slice(2);
const objects = JSON.parse(readFileSync(list, "utf8"));
const browser = await launch("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader");
const seen = { shown: {}, troubles: {}, hosts: {} };
const wait = 25000; // milliseconds until something is drawn, or it is said that nothing is

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1200, height: 900 } });
  const first = await context.newPage();
  await first.goto(origin + "/setup/");
  await signIn(first, name, password);
  await first.close();
  for (const o of objects) await look(context, o);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));

async function look(context, o) {
  const page = await context.newPage();
  const troubles = [];
  let looking = true;
  page.on("pageerror", (e) => troubles.push(String(e)));
  page.on("request", (r) => { if (r.url().startsWith("http")) seen.hosts[new URL(r.url()).host] = true; });
  page.on("response", (r) => { if (looking && r.status() >= 400) troubles.push(r.status() + " " + new URL(r.url()).pathname.replace(/[0-9.]{10,}/g, "UID")); });
  await page.addInitScript(() => {
    globalThis.broken = [];
    addEventListener("securitypolicyviolation", (e) => globalThis.broken.push("policy: " + e.violatedDirective + " " + e.blockedURI));
  });
  try {
    await page.goto(origin + "/viewer/viewer?StudyInstanceUIDs=" + o.Study);
    const drawn = await page.waitForFunction(drawnCanvas, null, { timeout: wait }).then(() => true, () => false);
    troubles.push(...await page.evaluate(() => globalThis.broken));
    looking = false; // what this script asks for is not the viewer's
    seen.shown[o.File] = drawn ? await compare(page, o) : await said(page);
    if (pictures) await page.screenshot({ path: `${pictures}/ohif-${o.Modality}-${o.Syntax}.png` });
  } catch (e) {
    troubles.push(String(e));
  }
  if (troubles.length > 0) seen.troubles[o.File] = [...new Set(troubles)];
  await page.close();
}

// drawnCanvas reports a canvas that is not of one grey.
function drawnCanvas() {
  for (const c of document.querySelectorAll(".cornerstone-canvas, canvas")) {
    if (!c.width || c.width < 100) continue;
    const copy = document.createElement("canvas");
    copy.width = 32; copy.height = 32;
    const g = copy.getContext("2d");
    g.drawImage(c, 0, 0, 32, 32);
    const p = g.getImageData(0, 0, 32, 32).data;
    let least = 255, most = 0;
    for (let i = 0; i < p.length; i += 4) { const v = (p[i] + p[i + 1] + p[i + 2]) / 3; least = Math.min(least, v); most = Math.max(most, v); }
    if (most - least > 20) return true;
  }
  return false;
}

// said is what the viewer tells where it draws nothing.
async function said(page) {
  const text = await page.evaluate(() => document.body.innerText);
  if (/cannot be shown here/i.test(text)) return "refused, and says why";
  if (/not supported|unsupported/i.test(text)) return "not supported, and says so";
  if (/something went wrong|no studies/i.test(text)) return "an error, and says so";
  return "no picture";
}

// compare holds the picture against the rendered one: both are laid over one another by the place of the picture in its
// canvas, and 24 by 24 greys of each are compared.
async function compare(page, o) {
  await page.waitForTimeout(1500); // the first picture of a stack may be drawn in steps
  return page.evaluate(async ({ o }) => {
    const r = await fetch(`/dicom-web/studies/${o.Study}/series/${o.Series}/instances/${o.Instance}/rendered`, { headers: { Accept: "image/png, image/jpeg" } });
    if (!r.ok || !r.headers.get("content-type").startsWith("image/")) return "shown";
    const want = await createImageBitmap(await r.blob());
    const n = 24;
    const greys = (source, x, y, w, h) => {
      const c = document.createElement("canvas");
      c.width = n; c.height = n;
      const g = c.getContext("2d");
      g.imageSmoothingQuality = "high";
      g.drawImage(source, x, y, w, h, 0, 0, n, n);
      const p = g.getImageData(0, 0, n, n).data;
      return Array.from({ length: n * n }, (_, i) => (p[4 * i] + p[4 * i + 1] + p[4 * i + 2]) / 3);
    };
    const alike = (a, b) => {
      const mean = (v) => v.reduce((s, x) => s + x, 0) / v.length;
      const ma = mean(a), mb = mean(b);
      let ab = 0, aa = 0, bb = 0;
      for (let i = 0; i < a.length; i++) { ab += (a[i] - ma) * (b[i] - mb); aa += (a[i] - ma) ** 2; bb += (b[i] - mb) ** 2; }
      return aa && bb ? ab / Math.sqrt(aa * bb) : 0;
    };
    const wanted = greys(want, 0, 0, want.width, want.height);
    let best = -1;
    for (const c of document.querySelectorAll(".cornerstone-canvas, canvas")) {
      if (!c.width || c.width < 100) continue;
      // Pixels that are not square stretch the picture: each of these is tried.
      for (const stretch of [1, 1.25, 0.8, 1.5, 0.667, 2, 0.5]) {
        const scale = Math.min(c.width / want.width, c.height / (want.height * stretch));
        const w = want.width * scale, h = want.height * stretch * scale;
        best = Math.max(best, alike(wanted, greys(c, (c.width - w) / 2, (c.height - h) / 2, w, h)));
      }
    }
    return Math.abs(best) > 0.9 ? "as rendered" : Math.abs(best) > 0.6 ? "as rendered, in another window" : "otherwise than rendered";
  }, { o });
}
