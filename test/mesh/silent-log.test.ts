import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/mesh/silent-log.ts'

test('libp2p logs nothing, however deep its scopes', () => {
  const log = silentLog.forComponent('libp2p').newScope('connection').newScope('stream')
  assert.equal(log.enabled, false)
  log.error('nobody reads %s', 'this')
  log.trace('nor this')
})
