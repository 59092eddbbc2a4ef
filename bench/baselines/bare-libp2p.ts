import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { identify } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'

/** Baseline process: libp2p with tcp, noise, yamux, identify, ping and nothing of ours; with `helia` as argument also Helia on it. Ends with its stdin. */
const libp2p = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()], services: { identify: identify(), ping: ping() }
})
if (process.argv[2] === 'helia') {
  const [{ createHeliaLight }, { withBitswap }] = await Promise.all([import('helia'), import('@helia/bitswap')])
  const helia = createHeliaLight()
  Object.assign(helia, { libp2p })
  withBitswap(helia as Parameters<typeof withBitswap>[0])
  await helia.start()
}
process.stdout.write('ready\n')
process.stdin.on('end', () => { process.exit(0) }).resume()
