// The pages of the console, a row each: its path, and what has to be in sight before it is looked at. More of one
// page (a dialog, a tab) is a row of its own with what opens it.
// side opens what stands beside a list.
const side = (row) => async (page) => {
  await page.locator(row).first().click();
  await page.waitForSelector(".side");
};

const escape = (page) => page.keyboard.press("Escape");

export const pages = [
  { name: "start", path: "", ready: ".counts" },
  { name: "fix", path: "", ready: "table .button", open: (page) => page.click("table .button"), close: escape },
  { name: "first", path: "first", ready: ".points li" },
  { name: "surface", path: "surface", ready: "table" },
  { name: "issue", path: "surface", ready: "table", open: side("tr[data-href]"), close: escape },
  { name: "accept", path: "surface", ready: "table", open: async (page) => { await side("tr[data-href]")(page); await page.locator(".sidebody > div > .button").click(); }, close: escape },
  { name: "systems", path: "surface/systems", ready: "table" },
  { name: "system", path: "surface/system#id=A1", ready: "table" },
  { name: "system-advisories", path: "surface/system#id=A1&tab=advisories", ready: ".answers" },
  { name: "system-evidence", path: "surface/system#id=A1&tab=evidence", ready: "[role=tabpanel] .state, .transcript" },
  { name: "system-history", path: "surface/system#id=A1&tab=history", ready: "[role=tabpanel] table" },
  { name: "system-merge", path: "surface/system#id=A1&tab=merge", ready: "[role=tabpanel] .choice" },
  { name: "scans", path: "surface/scans", ready: "form" },
  { name: "changes", path: "surface/changes", ready: "table" },
  { name: "advisories", path: "surface/advisories", ready: "table" },
  { name: "advisory", path: "surface/advisories", ready: "table", open: side("tr[data-href]"), close: escape },
  { name: "report", path: "surface/report", ready: ".facts" },
  { name: "server", path: "server", ready: "table" },
  { name: "settings", path: "server#tab=settings", ready: "table" },
  { name: "devices", path: "devices", ready: "table" },
  { name: "approve", path: "devices", ready: "table", open: (page) => page.click("table button"), close: escape },
  { name: "device", path: "devices#device=CT1", ready: ".factgrid" },
  { name: "device-change", path: "devices#device=CT1", ready: ".factgrid", open: (page) => page.locator(".pagehead button").first().click(), close: escape },
  { name: "connect", path: "devices#connect=yes", ready: ".kinds" },
  { name: "connect-pacs", path: "devices#connect=yes&kind=pacs", ready: "form" },
  { name: "connect-plain", path: "devices#connect=yes&kind=plain", ready: "form" },
  { name: "connect-gate", path: "devices#connect=yes&kind=gate", ready: ".choice" },
  { name: "shares", path: "shares", ready: "table" },
  { name: "share", path: "shares#study=1.2.3", ready: ".modal" },
  { name: "quarantine", path: "quarantine", ready: "table" },
  { name: "held", path: "quarantine#entry=1", ready: ".factgrid" },
  { name: "destroy", path: "quarantine#entry=1", ready: ".factgrid", open: (page) => page.locator(".pagehead [data-kind=danger]").click(), close: escape },
  { name: "gate", path: "gate", ready: "table" },
  { name: "route", path: "gate#route=PACS", ready: ".factgrid" },
  { name: "route-learn", path: "gate#route=PACS&part=learn", ready: "form" },
  { name: "route-queue", path: "gate#route=PACS&part=queue", ready: ".state" },
  { name: "route-patches", path: "gate#route=PACS&part=patches", ready: "table" },
  { name: "audit", path: "audit", ready: "table" },
  { name: "audit-filter", path: "audit#event=query&failed=true", ready: "details[open]" },
  { name: "ledger", path: "ledger", ready: ".copyline" },
  { name: "accesses", path: "accesses#patient=ZZPHI-held", ready: "form" },
  { name: "people", path: "people", ready: "table" },
  { name: "invite", path: "people", ready: "table", open: (page) => page.locator(".pagehead button").click(), close: escape },
  { name: "links", path: "people#part=links", ready: "table" },
  { name: "groups", path: "people#part=groups", ready: "form" },
  { name: "tokens", path: "people#part=tokens", ready: "table" },
  { name: "person", path: "people#person=ada", ready: ".factgrid" },
  { name: "account", path: "account", ready: "table" },
  { name: "new-token", path: "account", ready: "table", open: (page) => page.locator(".main section button").last().click(), close: escape },
  { name: "nowhere", path: "nowhere", ready: ".state" },
];
