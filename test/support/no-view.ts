import type { ViewEndpoint } from '../../src/api/view/endpoint.ts'

/** For servers whose live view is not what is tested. */
export const NO_VIEW: ViewEndpoint = { upgrade: async () => undefined, stop: async () => undefined }
