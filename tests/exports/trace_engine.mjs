// Parses a Chrome trace by DevTools' own engine, and prints per thread its name and entries:
//   node trace_engine.mjs FILE
// Exits with 77 where the package is not there.
import fs from 'fs';
import {createRequire} from 'module';
import {pathToFileURL} from 'url';

globalThis.window ??= globalThis;
let engine;
try {
  const require = createRequire((process.env.NODE_PATH || process.cwd()) + '/');
  engine = await import(pathToFileURL(require.resolve('@paulirish/trace_engine')));
} catch (error) {
  console.error('no @paulirish/trace_engine here');
  process.exit(77);
}
const trace = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const processor = engine.Processor.TraceProcessor.createWithAllHandlers();
await processor.parse(trace.traceEvents, {showAllEvents: true, isCPUProfile: false, metadata: {}});
const data = processor.data ?? processor.parsedTrace;
const threads = [];
for (const process of data.Renderer.processes.values()) {
  for (const thread of process.threads.values()) {
    threads.push({
      name: thread.name,
      entries: thread.entries.map((e) => ({name: e.name, ts: e.ts, dur: e.dur ?? 0})),
    });
  }
}
console.log(JSON.stringify(threads));
