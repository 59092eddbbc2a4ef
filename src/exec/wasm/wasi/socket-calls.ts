import { fault } from './errno.ts'
import { type GuestWorld, type HostCalls } from './guest-world.ts'

/** There are no sockets: every call fails, with EBADF for a descriptor that is not open. */
export function createSocketCalls (world: GuestWorld): HostCalls {
  const refuse = (name: 'NOTSUP' | 'NOTSOCK') => (fd: number): void => {
    world.descriptors.get(fd)
    throw fault(name)
  }
  return { sock_accept: refuse('NOTSUP'), sock_recv: refuse('NOTSUP'), sock_send: refuse('NOTSUP'), sock_shutdown: refuse('NOTSOCK') }
}
