// Measures in the viewer, keeps the measurement in the archive, and finds it again in another tab. Arguments: the origin,
// name, password, the Study Instance UID, and a folder for pictures (or none). Prints what it saw.
import { launch, signIn, watch } from "./person.mjs";

const [origin, name, password, study, pictures] = process.argv.slice(2);
const browser = await launch("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader");
const seen = { troubles: [], hosts: {}, stored: [], series: [] };
const picture = (page, what) => pictures && page.screenshot({ path: `${pictures}/measure-${what}.png` });

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  watch(page, seen);
  page.on("response", (r) => { if (r.request().method() === "POST" && r.url().includes("/dicom-web/studies")) seen.stored.push(r.status()); });
  const address = origin + "/viewer/viewer?StudyInstanceUIDs=" + study;
  await page.goto(address);
  await signIn(page, name, password);
  await opened(page);

  // A length is drawn over the picture.
  await page.locator('[data-cy="MeasurementTools-split-button-primary"]').click();
  const box = await page.locator(".cornerstone-canvas").first().boundingBox();
  const at = (x, y) => [box.x + box.width * x, box.y + box.height * y];
  await page.mouse.move(...at(0.4, 0.4));
  await page.mouse.down();
  await page.mouse.move(...at(0.6, 0.6), { steps: 8 });
  await page.mouse.up();
  await picture(page, "drawn");
  await page.locator('[data-cy="prompt-begin-tracking-yes-btn"]').click();
  await picture(page, "tracked");

  // It is kept as a structured report of the study.
  await page.locator('[data-cy="trackedMeasurements-btn"]').click();
  await page.getByText("Create SR", { exact: false }).first().click();
  await picture(page, "dialog");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForResponse((r) => r.request().method() === "POST" && r.url().includes("/dicom-web/studies"), { timeout: 20000 }).catch(() => {});
  await page.waitForTimeout(1500);
  await picture(page, "kept");

  // Another tab finds it.
  const again = await context.newPage();
  watch(again, seen);
  await again.goto(address);
  await opened(again);
  seen.series = await again.evaluate(async (study) => {
    const r = await fetch(`/dicom-web/studies/${study}/series?includefield=00080060`, { headers: { Accept: "application/dicom+json" } });
    return (await r.json()).map((s) => s["00080060"].Value[0]);
  }, study);
  const report = again.locator('[data-cy="study-browser-thumbnail-no-image"]').first();
  await report.dblclick();
  await picture(again, "report");
  await again.getByRole("button", { name: "Yes" }).click({ timeout: 15000 });
  await again.locator('[data-cy="trackedMeasurements-btn"]').click();
  await again.locator('[data-cy="data-row"]').first().waitFor({ timeout: 15000 });
  seen.rows = await again.locator('[data-cy="data-row"]').count();
  seen.text = await again.evaluate(() => document.body.innerText.match(/[\d.]+\s?mm/g));
  await picture(again, "again");
} catch (e) {
  seen.failed = String(e);
  for (const [n, p] of browser.contexts()[0].pages().entries()) await picture(p, "failed" + n);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));

// opened waits until something is drawn.
async function opened(page) {
  await page.waitForSelector(".cornerstone-canvas", { timeout: 60000 });
  await page.waitForFunction(() => {
    const c = document.querySelector(".cornerstone-canvas");
    if (!c || !c.width) return false;
    const copy = document.createElement("canvas");
    copy.width = 16; copy.height = 16;
    const g = copy.getContext("2d");
    g.drawImage(c, 0, 0, 16, 16);
    return g.getImageData(0, 0, 16, 16).data.some((v, i) => i % 4 !== 3 && v > 40);
  }, null, { timeout: 60000 });
}
