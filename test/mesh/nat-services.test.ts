import t from 'tap'
import { natServices } from '../../src/mesh/nat-services.ts'

t.test('a node serves and asks nothing that it was not told to; UPnP multicasts, so that it is there on demand only', async (t) => {
  const names = async (options: Parameters<typeof natServices>[0]): Promise<string[]> => Object.keys(await natServices(options)).sort()
  t.same(await names({}), ['dcutr'])
  t.same(await names({ relay: true }), ['dcutr', 'relay'])
  t.same(await names({ isPublic: true }), ['autonat', 'dcutr'])
  t.same(await names({ upnp: true }), ['autonat', 'dcutr', 'upnp'])
})
