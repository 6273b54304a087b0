// The pages of the console, a row each: its path, and what has to be in sight before it is looked at. More of one
// page (a dialog, a tab) is a row of its own with what opens it.
export const pages = [
  { name: "start", path: "", ready: ".counts" },
  { name: "issues", path: "issues", ready: ".chips" },
  { name: "devices", path: "devices", ready: "table" },
  { name: "approve", path: "devices", ready: "table", open: (page) => page.click("table button"), close: (page) => page.keyboard.press("Escape") },
  { name: "audit", path: "audit", ready: "table" },
  { name: "people", path: "people", ready: "table" },
  { name: "account", path: "account", ready: "table" },
  { name: "nowhere", path: "nowhere", ready: ".state" },
];
