/** A launch as plain as can be; tests change what they are about. */
export { plainRequest as launchRequest } from '../../../src/agents/cli/plain-request.ts';
