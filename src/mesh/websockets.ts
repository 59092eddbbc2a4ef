import type { Transport } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { WebSocketsComponents } from '@libp2p/websockets'

type Factory = (components: WebSocketsComponents) => Transport

const isWebSocket = (address: Multiaddr): boolean => address.getComponents().some(({ name }) => name === 'ws' || name === 'wss')

/** libp2p over WebSockets. Its library costs 5 MB, so a node that listens on none loads it when it first dials one. */
export async function webSocketTransport (listen: readonly string[]): Promise<Factory> {
  if (listen.some((address) => /\/wss?(\/|$)/.test(address))) return (await import('@libp2p/websockets')).webSockets()
  const symbols = await import('@libp2p/interface')
  return (components) => {
    let loading: Promise<Transport> | undefined
    const load = async (): Promise<Transport> => (await import('@libp2p/websockets')).webSockets()(components)
    return {
      [Symbol.toStringTag]: '@libp2p/websockets',
      [symbols.transportSymbol]: true,
      dial: async (address, options) => await (await (loading ??= load())).dial(address, options),
      createListener: () => { throw new Error('no WebSocket address to listen on was configured') },
      listenFilter: () => [],
      dialFilter: (addresses) => addresses.filter(isWebSocket)
    }
  }
}
