import t from 'tap'
import { verifyBound } from '../../src/match/bound.ts'
import { keyOf } from '../../src/match/certificate.ts'
import { createCertifier } from '../../src/match/class-certifier.ts'
import { classPriceFor } from '../../src/match/class-price.ts'
import { encodeCertificate } from '../../src/wire/certificate.ts'
import { book, job, offer } from './rows.ts'

const certifier = createCertifier()
const GPU = { model: 'big', vramMiB: 100, shareBp: 10_000, secondAsk: 1 }
const withGpu = offer(2, { gpus: [GPU] })
const wantsGpu = job(2, { gpus: [{ models: [], vramMiB: 1, shareBp: 5000 }], limit: 10_000_000 })
const snapshot = book([job(1), wantsGpu], [offer(1), withGpu])
/** 3 nLILY a milli-core without GPUs, 2 a share on machines with the model. */
const certificate = { entries: [{ key: keyOf('[]'), prices: [3, 0, 0, 0, 0, 0, 0, 0] }, { key: keyOf('["big"]'), prices: [0, 0, 0, 2, 0, 0, 0, 0] }].sort((left, right) => left.key - right.key) }
const bytes = encodeCertificate(certificate)

t.test('the bound is the one of the certificate, whatever has left the book', async (t) => {
  t.equal(certifier.bound(snapshot, bytes), BigInt(verifyBound(snapshot, certificate)))
  t.equal(certifier.bound(book([...snapshot.jobs], [...snapshot.offers, { ...offer(3), departed: true }]), bytes), certifier.bound(snapshot, bytes))
  for (const strange of [new Uint8Array(0), new Uint8Array(50).fill(255), bytes.subarray(1)]) t.equal(certifier.bound(snapshot, strange), undefined)
})

t.test('an offer has the rents of its class, and a job takes by its rows', async (t) => {
  t.same(certifier.rentsOf(snapshot, bytes, offer(1)), [3, 0, 0, 0, 0, 0, 0, 0])
  t.same(certifier.rentsOf(snapshot, bytes, withGpu), [0, 0, 0, 2, 0, 0, 0, 0])
  t.same(certifier.rentsOf(snapshot, bytes, offer(9)), [], 'not in the book')
  t.same(certifier.demandOf(job(1), offer(1), []).slice(0, 4), [10, 10, 10, 0])
  t.equal(classPriceFor(certifier, snapshot, [bytes], { job: job(1), offer: offer(1), devices: [] }), 150 + 3 * 10)
  // The ask is 150 and 5 for half a device over 10 s.
  t.equal(classPriceFor(certifier, snapshot, [bytes], { job: wantsGpu, offer: withGpu, devices: [0] }), 155 + 2 * 5000)
})
