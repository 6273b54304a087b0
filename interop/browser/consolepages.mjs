// The pages of the console, a row each: its path, and what has to be in sight before it is looked at. More of one
// page (a dialog, a tab) is a row of its own with what opens it.
// side opens what stands beside a list.
const side = (row) => async (page) => {
  await page.locator(row).first().click();
  await page.waitForSelector(".side");
};

export const pages = [
  { name: "start", path: "", ready: ".counts" },
  { name: "fix", path: "", ready: "table .button", open: (page) => page.click("table .button"), close: (page) => page.keyboard.press("Escape") },
  { name: "first", path: "first", ready: ".points li" },
  { name: "surface", path: "surface", ready: "table" },
  { name: "issue", path: "surface", ready: "table", open: side("tr[data-href]"), close: (page) => page.keyboard.press("Escape") },
  { name: "accept", path: "surface", ready: "table", open: async (page) => { await side("tr[data-href]")(page); await page.locator(".sidebody > div > .button").click(); }, close: (page) => page.keyboard.press("Escape") },
  { name: "systems", path: "surface/systems", ready: "table" },
  { name: "system", path: "surface/system#id=A1", ready: "table" },
  { name: "system-advisories", path: "surface/system#id=A1&tab=advisories", ready: ".answers" },
  { name: "system-evidence", path: "surface/system#id=A1&tab=evidence", ready: "[role=tabpanel] .state, .transcript" },
  { name: "system-history", path: "surface/system#id=A1&tab=history", ready: "[role=tabpanel] table" },
  { name: "system-merge", path: "surface/system#id=A1&tab=merge", ready: "[role=tabpanel] .choice" },
  { name: "scans", path: "surface/scans", ready: "form" },
  { name: "changes", path: "surface/changes", ready: "table" },
  { name: "advisories", path: "surface/advisories", ready: "table" },
  { name: "advisory", path: "surface/advisories", ready: "table", open: side("tr[data-href]"), close: (page) => page.keyboard.press("Escape") },
  { name: "report", path: "surface/report", ready: ".facts" },
  { name: "server", path: "server", ready: "table" },
  { name: "settings", path: "server#tab=settings", ready: "table" },
  { name: "devices", path: "devices", ready: "table" },
  { name: "approve", path: "devices", ready: "table", open: (page) => page.click("table button"), close: (page) => page.keyboard.press("Escape") },
  { name: "audit", path: "audit", ready: "table" },
  { name: "people", path: "people", ready: "table" },
  { name: "account", path: "account", ready: "table" },
  { name: "nowhere", path: "nowhere", ready: ".state" },
];
