declare module 'secp256k1/bindings.js' {
  import secp256k1 from 'secp256k1'
  export default secp256k1
}
declare module 'secp256k1/elliptic.js' {
  import secp256k1 from 'secp256k1'
  export default secp256k1
}
