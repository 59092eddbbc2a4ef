// Nothing but this one function of Helia: a build then leaves out WebRTC, HTTP and certificates, which the package's entry also names (45 MB).
export { createHeliaLight } from 'helia'
