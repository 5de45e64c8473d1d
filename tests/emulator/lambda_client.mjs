// @aws-sdk/client-lambda against the emulator: what lambda_clients.py's scenario "node" runs.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const require = createRequire(process.env.LLAMA_NODE_MODULES + '/');
const lambda = require('@aws-sdk/client-lambda');

const client = new lambda.LambdaClient({
  region: process.env.AWS_REGION,
  endpoint: process.env.AWS_ENDPOINT_URL,
  maxAttempts: 1,
});
const text = (bytes) => Buffer.from(bytes ?? []).toString();
const send = (name, input) => client.send(new lambda[`${name}Command`](input));
const invoke = (words, more = {}) =>
  send('Invoke', {FunctionName: 'f', Payload: Buffer.from(JSON.stringify(words)), ...more});
const refused = (promise, name) =>
  assert.rejects(promise, (error) => (assert.equal(error.name, name), true));

const ZipFile = readFileSync(process.env.CODE);
const made = await send('CreateFunction', {
  FunctionName: 'f', Runtime: 'provided.al2023', Handler: 'h', Role: process.env.ROLE, Code: {ZipFile},
  Environment: {Variables: {MINE: 'one'}}, Publish: true,
});
assert.equal(made.Version, '1');
await lambda.waitUntilFunctionActiveV2({client, maxWaitTime: 20}, {FunctionName: 'f'});

const answer = await invoke('echo hello', {LogType: 'Tail'});
assert.equal(answer.StatusCode, 200);
assert.equal(text(answer.Payload), '"hello"');
assert.match(Buffer.from(answer.LogResult, 'base64').toString(), /REPORT RequestId: .*Billed Duration/);

const failed = await invoke('exit 3');
assert.equal(failed.FunctionError, 'Unhandled');
assert.match(text(failed.Payload), /Runtime.ExitError.*exit status 3/);

assert.equal((await invoke('echo', {InvocationType: 'Event'})).StatusCode, 202);
assert.equal((await invoke('echo', {InvocationType: 'DryRun'})).StatusCode, 204);

await send('UpdateFunctionConfiguration', {FunctionName: 'f', Environment: {Variables: {MINE: 'two'}}});
await lambda.waitUntilFunctionUpdatedV2({client, maxWaitTime: 20}, {FunctionName: 'f'});
assert.equal(text((await invoke('env MINE')).Payload), '"two"');
assert.equal(text((await invoke('env MINE', {Qualifier: '1'})).Payload), '"one"');
await send('UpdateFunctionCode', {FunctionName: 'f', ZipFile, Publish: true});

const names = [];
for await (const page of lambda.paginateListFunctions({client, pageSize: 1}, {})) {
  names.push(...page.Functions.map((f) => f.FunctionName));
}
assert.deepEqual(names, ['f']);

await send('PutFunctionConcurrency', {FunctionName: 'f', ReservedConcurrentExecutions: 0});
await assert.rejects(invoke('echo'), (error) => {
  assert.equal(error.name, 'TooManyRequestsException');
  assert.equal(error.Reason, 'ReservedFunctionConcurrentInvocationLimitExceeded');
  assert.equal(error.retryAfterSeconds, '1');
  return true;
});
await refused(send('GetFunction', {FunctionName: 'none'}), 'ResourceNotFoundException');
await refused(send('CreateAlias', {FunctionName: 'f', Name: 'a', FunctionVersion: '77'}), 'ResourceNotFoundException');
await send('DeleteFunction', {FunctionName: 'f'});
await refused(invoke('echo'), 'ResourceNotFoundException');
