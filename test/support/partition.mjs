// Preload (`node --import`) of processes that can be parted from others. On SIGUSR2 a process reads `partition.json` beside this file, `{ fromMs, untilMs, denied }`: between
// these times, unix ms, it has no connection to the ports that `denied` names by its process id. Open ones break and new ones fail. Each side cuts what it dialled itself.
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { isMainThread } from 'node:worker_threads'

const dialled = new Set()
let denied = new Set()

function cut (socket) {
  if (denied.has(socket.remotePort)) socket.destroy(new Error('parted'))
}

function part () {
  const plan = JSON.parse(readFileSync(new URL('partition.json', import.meta.url), 'utf8'))
  setTimeout(() => {
    denied = new Set(plan.denied[process.pid])
    for (const socket of dialled) cut(socket)
  }, plan.fromMs - Date.now())
  setTimeout(() => { denied = new Set() }, plan.untilMs - Date.now())
}

if (isMainThread) {
  const { connect } = net.Socket.prototype
  net.Socket.prototype.connect = function (...args) {
    this.once('connect', () => {
      dialled.add(this)
      cut(this)
    })
    this.once('close', () => { dialled.delete(this) })
    return Reflect.apply(connect, this, args)
  }
  process.on('SIGUSR2', part)
}
