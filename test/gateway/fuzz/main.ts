// npm run fuzz:s3 -- [REQUESTS] [SEED]: a million of them unless told otherwise. Ends with 1 if one was answered wrongly.
import { fuzz } from './fuzz.ts';

const [requests = '1000000', seed = '1'] = process.argv.slice(2);
const startedMs = performance.now();
const report = await fuzz(Number(requests), Number(seed), (done) => {
  const seconds = (performance.now() - startedMs) / 1000;
  process.stderr.write(`\r${done} in ${seconds.toFixed(0)} s, ${(done / seconds).toFixed(0)} a second`);
});
process.stderr.write('\n');
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.wrong.length > 0 ? 1 : 0;
