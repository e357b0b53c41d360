/** The entry that `bin/sluice.js` starts. */
import { main } from './program.ts';

await main(process.argv.slice(2));
