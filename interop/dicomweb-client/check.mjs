// Does with dicomweb-client what a viewer does and prints what came back as one
// JSON document: check.mjs BASE FILE...
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import xhr2 from 'xhr2'
import dicomweb from 'dicomweb-client'

globalThis.XMLHttpRequest = xhr2.XMLHttpRequest

const [base, ...files] = process.argv.slice(2)
const client = new dicomweb.api.DICOMwebClient({ url: base, singlepart: process.env.SINGLEPART || '' })
const digest = (b) => createHash('sha256').update(new Uint8Array(b)).digest('hex')
const bytes = (answer) => [...new Uint8Array(Array.isArray(answer) ? answer[0] : answer)]
const value = (ds, tag) => ds[tag]?.Value?.[0]
const out = {}

const read = (name) => {
  const b = readFileSync(name)
  return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength)
}
const stored = await client.storeInstances({ datasets: files.map(read) })
out.stored = (typeof stored === 'string' ? JSON.parse(stored) : stored)['00081199'].Value.length

const studies = await client.searchForStudies({ queryParams: { limit: 10, PatientName: 'ZZPHI*', includefield: '00081030,00080060', fuzzymatching: true } })
out.studies = studies.map((s) => value(s, '0020000D')).sort()
out.none = await client.searchForStudies({ queryParams: { PatientID: 'nobody' } })
out.objects = {}
for (const studyInstanceUID of out.studies) {
  const study = { studyInstanceUID }
  const instances = await client.searchForInstances(study)
  for (const series of await client.searchForSeries(study)) {
    const seriesInstanceUID = value(series, '0020000E')
    const metadata = await client.retrieveSeriesMetadata({ ...study, seriesInstanceUID })
    for (const m of metadata) {
      const at = { ...study, seriesInstanceUID, sopInstanceUID: value(m, '00080018') }
      const o = { found: instances.filter((i) => value(i, '00080018') === at.sopInstanceUID).length }
      out.objects[at.sopInstanceUID] = o
      const file = await client.retrieveInstance(at)
      o.size = file.byteLength
      o.metadata = (await client.retrieveInstanceMetadata(at)).length
      const pixels = m['7FE00010']
      if (!pixels) continue
      const frames = await client.retrieveInstanceFrames({ ...at, frameNumbers: [1], mediaTypes: [{ mediaType: 'application/octet-stream', transferSyntaxUID: '*' }] })
      o.frame = digest(frames[0])
      if (pixels.BulkDataURI) {
        const bulk = await client.retrieveBulkData({ BulkDataURI: new URL(pixels.BulkDataURI, base).href })
        o.bulk = digest(bulk[0])
      }
      o.jpeg = bytes(await client.retrieveInstanceRendered({ ...at, mediaTypes: [{ mediaType: 'image/jpeg' }], queryParams: { viewport: '32,32' } })).slice(0, 3)
      o.png = bytes(await client.retrieveInstanceFramesRendered({ ...at, frameNumbers: [1], mediaTypes: [{ mediaType: 'image/png' }] })).slice(0, 4)
      o.thumbnail = bytes(await client.retrieveInstanceThumbnail({ ...at, mediaTypes: [{ mediaType: 'image/jpeg' }] })).length > 0
    }
  }
  out.inStudies = (out.inStudies ?? 0) + (await client.retrieveStudy(study)).length
  out.studyMetadata = (out.studyMetadata ?? 0) + (await client.retrieveStudyMetadata(study)).length
}
console.log(JSON.stringify(out))
