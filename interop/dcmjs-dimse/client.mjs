// What dcmjs-dimse gets from a PACS: an echo, files stored, a study found and retrieved. Prints it as
// JSON. client.mjs HOST PORT CALLED STUDY KEYS FILE...; KEYS is a directory with PEM files for
// TLS, or "-".
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import dimse from "dcmjs-dimse";

const { Client } = dimse;
const { CEchoRequest, CFindRequest, CGetRequest, CStoreRequest } = dimse.requests;
const { CStoreResponse } = dimse.responses;
const { Status } = dimse.constants;
dimse.log.setLevel("silent");

const [host, port, called, study, keys, ...files] = process.argv.slice(2);
const calling = "WS1";
const options = { pduTimeout: 20000 };
if (keys !== "-") {
  const pem = (name) => readFileSync(`${keys}/${name}`);
  options.securityOptions = { key: pem(`${calling}.key.pem`), cert: pem(`${calling}.cert.pem`), ca: pem("ca.pem"), rejectUnauthorized: true };
}

// send asks on an association of its own and ends when that is closed.
function send(requests, heard = {}) {
  return new Promise((resolve, reject) => {
    const client = new Client();
    for (const request of requests) client.addRequest(request);
    for (const [event, told] of Object.entries(heard)) client.on(event, told);
    client.on("networkError", reject);
    client.on("associationRejected", (r) => reject(new Error(`rejected: ${JSON.stringify(r)}`)));
    client.on("closed", resolve);
    client.send(host, Number(port), calling, called, options);
  });
}

const got = { echo: -1, stored: [], found: [], retrieved: [], completed: -1, failed: -1 };

const echo = new CEchoRequest();
echo.on("response", (r) => (got.echo = r.getStatus()));
await send([echo]);

const stores = files.map((file) => {
  const request = new CStoreRequest(file);
  request.on("response", (r) => got.stored.push(r.getStatus()));
  return request;
});
await send(stores);

const find = CFindRequest.createStudyFindRequest({ StudyInstanceUID: study, PatientName: "", PatientID: "", StudyDate: "" });
find.on("response", (r) => {
  if (r.getStatus() === Status.Pending && r.hasDataset()) {
    const match = r.getDataset();
    got.found.push([match.getElement("StudyInstanceUID"), match.getElement("PatientID"), match.getElement("StudyDate") ?? ""].join(" "));
  }
});
await send([find]);

const get = CGetRequest.createStudyGetRequest(study);
get.on("response", (r) => {
  if (r.getStatus() !== Status.Pending) {
    got.completed = r.getCompleted();
    got.failed = r.getFailures();
  }
});
await send([get], {
  cStoreRequest: (request, callback) => {
    const ds = request.getDataset();
    const pixels = ds.getElement("PixelData")[0];
    const hash = createHash("sha256").update(Buffer.from(pixels)).digest("hex");
    got.retrieved.push(`${ds.getElement("SOPInstanceUID")} ${hash}`);
    const response = CStoreResponse.fromRequest(request);
    response.setStatus(Status.Success);
    callback(response);
  },
});

got.retrieved.sort();
console.log(JSON.stringify(got));
process.exit(0);
