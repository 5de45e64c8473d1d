// Decodes an OTLP request by OpenTelemetry's own generated code, and prints its spans as JSON:
//   node otlp.cjs FILE pb|json
// Exits with 77 where the package is not there.
const fs = require('fs');
let root;
try {
  root = require('@opentelemetry/otlp-transformer/build/src/generated/root.js');
} catch (error) {
  console.error('no @opentelemetry/otlp-transformer here');
  process.exit(77);
}
const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
const bytes = fs.readFileSync(process.argv[2]);
const hex = (id) => Buffer.from(id || []).toString('hex');

function fromJson(text) {
  const request = JSON.parse(text);
  const decode = (span) => {
    for (const key of ['traceId', 'spanId', 'parentSpanId']) {
      if (span[key] !== undefined) span[key] = Buffer.from(span[key], 'hex');
    }
    (span.links || []).forEach(decode);
  };
  request.resourceSpans.forEach((r) => r.scopeSpans.forEach((s) => s.spans.forEach(decode)));
  const message = Request.fromObject(request);
  const wrong = Request.verify(message);
  if (wrong) throw new Error(wrong);
  return message;
}

const message = process.argv[3] === 'json' ? fromJson(bytes) : Request.decode(bytes);
const spans = [];
for (const resource of message.resourceSpans) {
  const service = resource.resource.attributes.find((a) => a.key === 'service.name').value.stringValue;
  for (const span of resource.scopeSpans.flatMap((scope) => scope.spans)) {
    spans.push({
      trace: hex(span.traceId), id: hex(span.spanId), parent: hex(span.parentSpanId), service,
      name: span.name, start: String(span.startTimeUnixNano), end: String(span.endTimeUnixNano),
      attributes: span.attributes.length,
    });
  }
}
console.log(JSON.stringify(spans));
