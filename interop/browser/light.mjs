// Looks at studies on the light page as people do: on a telephone with a link, and at a desk signed in. Arguments: the
// origin, name, password, links to a study of slices, to a clip and to a study whose texts are hostile, the Study
// Instance UIDs of the first two, and a folder for pictures, or nothing. Prints what it saw.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { launch, signIn, watch } from "./person.mjs";

const [origin, name, password, slices, clip, hostile, ct, us, pictures] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await launch("--disable-gpu");
const seen = { troubles: [], hosts: {}, script: 0, shown: [], compared: 0, off: 0, wide: [], axe: [], guessed: {}, plain: [] };

async function open(options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", ...options });
  const page = await context.newPage();
  watch(page, seen);
  page.on("response", async (r) => { if (r.url().endsWith("/light.js")) seen.script = (await r.body()).length; });
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error("policy: " + e.violatedDirective + " " + e.blockedURI)));
  page.on("dialog", (d) => { seen.troubles.push("dialog " + d.message()); d.dismiss(); });
  return page;
}

const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

async function follow(page, link) {
  await page.goto(link);
  await page.waitForSelector("#link", { state: "hidden" });
  await page.click("button");
  await page.waitForURL("**/share/");
  await page.waitForLoadState("networkidle");
}

// settled is the place that the page has come to.
async function settled(page) {
  await page.waitForFunction(() => {
    const stage = document.querySelector("#stage"), slider = document.querySelector("#slider"), img = document.querySelector("#frame");
    return stage && slider && img && stage.dataset.shown === slider.value && img.complete && img.naturalWidth > 0;
  });
  return Number(await page.$eval("#stage", (s) => s.dataset.shown));
}

// compare holds the picture that is drawn against what the server renders at its address.
async function compare(page) {
  const differs = await page.evaluate(async () => {
    const img = document.querySelector("#frame");
    const pixels = (source, w, h) => {
      const c = document.createElement("canvas");
      c.width = w; c.height = h;
      const g = c.getContext("2d");
      g.drawImage(source, 0, 0);
      return g.getImageData(0, 0, w, h).data;
    };
    const bitmap = await createImageBitmap(await (await fetch(img.src, { headers: { Accept: "image/jpeg" } })).blob());
    const a = pixels(img, img.naturalWidth, img.naturalHeight), b = pixels(bitmap, bitmap.width, bitmap.height);
    let worst = a.length === b.length ? 0 : 255, sum = 0;
    for (let i = 0; i < a.length && i < b.length; i++) { worst = Math.max(worst, Math.abs(a[i] - b[i])); sum += a[i]; }
    const place = Number(document.querySelector("#slider").value), frames = JSON.parse(document.querySelector("#stage").dataset.stack).list;
    let before = 0;
    const at = frames.find((x) => { const here = place <= before + x.n; if (!here) before += x.n; return here; });
    const right = new URL(img.src).pathname.endsWith(at.p + "/frames/" + (place - before) + "/rendered");
    return worst > 2 || sum === 0 || !right;
  });
  seen.compared++;
  seen.off += differs ? 1 : 0;
}

async function look(page, what) {
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) seen.wide.push(what);
  // The policy of the page forbids scripts that are written into it; what tests it comes by another way.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  await session.send("Runtime.evaluate", { expression: axe, contextId: executionContextId });
  const { result } = await session.send("Runtime.evaluate", {
    expression: "axe.run().then(r => JSON.stringify(r.violations.map(v => v.id + ' ' + v.nodes.map(n => n.target).join(','))))",
    contextId: executionContextId, awaitPromise: true,
  });
  for (const v of JSON.parse(result.value)) seen.axe.push(what + ": " + v);
  if (pictures) await page.screenshot({ path: pictures + "/light-" + what + ".png", fullPage: true });
}

// finger moves fingers over the stage, each along its points.
async function fingers(page, ...ways) {
  const session = await page.context().newCDPSession(page);
  const box = await page.$eval("#stage", (s) => { const b = s.getBoundingClientRect(); return { x: b.x, y: b.y }; });
  const points = (i) => ways.map((w, id) => ({ x: box.x + w[i][0], y: box.y + w[i][1], id }));
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: points(0) });
  for (let i = 1; i < ways[0].length; i++) await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: points(i) });
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}
const along = (x, from, to) => Array.from({ length: 11 }, (_, i) => [x, from + (to - from) * i / 10]);

try {
  const page = await open(phone);
  await follow(page, slices);
  await look(page, "study");
  await page.click(".series a");
  seen.shown.push(String(await settled(page)));
  await compare(page);
  await look(page, "phone");

  await fingers(page, along(180, 100, 250));
  seen.shown.push("finger-down:" + (await settled(page) > 1 ? ">1" : "1"));
  await compare(page);
  await fingers(page, along(180, 350, 100));
  seen.shown.push("finger-up:" + await settled(page));
  await fingers(page, [[150, 200], [130, 180], [90, 140], [60, 110]], [[200, 250], [220, 270], [260, 310], [290, 340]]);
  seen.shown.push(await page.$eval("#stage", (s) => s.dataset.zoom > 1.5 ? "zoomed" : "zoom " + s.dataset.zoom));
  await settled(page);
  await compare(page);
  for (let i = 0; i < 2; i++) await fingers(page, [[180, 200]]);
  await page.waitForFunction(() => document.querySelector("#stage").dataset.zoom === "1.00");
  seen.shown.push("reset");
  seen.shown.push(await page.isHidden("#windows") ? "presets-hidden" : "presets-there");
  await new Promise((r) => setTimeout(r, 500)); // two taps are none of two single ones
  await fingers(page, [[180, 200]]);
  await page.waitForSelector("#windows", { state: "visible" });
  seen.shown.push("presets-shown");
  const before = await page.$eval("#frame", (i) => i.src);
  await page.click("#windows a[data-window='-600,1500']");
  await page.waitForFunction(() => document.querySelector("#frame").src.includes("window="));
  seen.shown.push("window:" + await page.evaluate(() => new URL(document.querySelector("#frame").src).searchParams.get("window")));
  seen.shown.push(before === await page.$eval("#frame", (i) => i.src) ? "window-same" : "window-differs");
  await compare(page);
  await look(page, "window");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("ArrowDown");
  seen.shown.push("key:" + await settled(page));
  await page.keyboard.press("End");
  seen.shown.push("end:" + await settled(page));
  await page.$eval("#slider", (s) => { s.value = 7; s.dispatchEvent(new Event("input")); });
  seen.shown.push("slider:" + await settled(page));
  await compare(page);
  await page.click("#play");
  await page.waitForFunction(() => Number(document.querySelector("#stage").dataset.shown) > 10);
  seen.shown.push("played");
  await page.click("#play");
  const stopped = await settled(page);
  await new Promise((r) => setTimeout(r, 400));
  seen.shown.push(await settled(page) === stopped ? "stopped" : "goes on");
  await compare(page);

  // Other studies, and what is not there, by writing into the address.
  const inside = await page.$eval("#frame", (i) => new URL(i.src).pathname);
  for (const address of [
    "/share/?series=2&frame=21", "/share/?series=9&frame=1", "/share/?series=1&frame=21", "/share/view/studies/" + us + "/metadata",
    inside.replaceAll(ct, us), "/dicom-web/studies/" + us + "/metadata", "/view/?study=" + us, "/view/?series=1&frame=1&study=" + us,
  ]) seen.guessed[address] = (await page.context().request.get(origin + address)).status();
  await page.context().close();

  const second = await open(phone);
  await follow(second, clip);
  await second.click(".series a");
  await settled(second);
  seen.shown.push("us:" + await second.$eval("#slider", (s) => s.max));
  await compare(second);
  await second.click("#play");
  await second.waitForFunction(() => Number(document.querySelector("#stage").dataset.shown) > 3);
  seen.shown.push("us-played");
  await second.click("#play");
  await settled(second);
  await compare(second);
  await look(second, "clip");
  await second.context().close();

  const third = await open(phone);
  await follow(third, hostile);
  await look(third, "hostile-study");
  await third.click(".series a");
  await settled(third);
  await look(third, "hostile");
  if (await third.$$eval("main script:not([src]), svg, main img[onerror]", (l) => l.length) > 0) seen.troubles.push("a text became markup");
  await third.context().close();

  // Without script it is pages and links.
  const plain = await open({ ...phone, javaScriptEnabled: false });
  await plain.goto(slices.replace(/#.*/, ""));
  await plain.fill("#link", slices.replace(/.*#/, ""));
  await plain.click("button");
  await plain.click(".series a");
  for (const next of ["#next", "#previous", ""]) {
    seen.plain.push(await plain.textContent("#place"));
    if (next) await plain.click(next);
  }
  await plain.context().close();

  const desk = await open({ viewport: { width: 1440, height: 900 } });
  await desk.goto(origin + "/view/?study=" + ct);
  await signIn(desk, name, password);
  await desk.waitForURL("**/view/?*");
  await desk.waitForSelector(".series a");
  await look(desk, "desk-study");
  await desk.click(".series a");
  await settled(desk);
  seen.shown.push("signed-in:" + await desk.$eval("#slider", (s) => s.max));
  await compare(desk);
  await desk.mouse.move(700, 400);
  for (let i = 0; i < 3; i++) { await desk.mouse.wheel(0, 100); await settled(desk); await compare(desk); }
  await desk.keyboard.press("End");
  seen.shown.push("signed-in-end:" + await settled(desk));
  await look(desk, "desk");
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
