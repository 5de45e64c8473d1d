// @aws-sdk/client-s3 against the emulator; the environment says where. Ends with an error if
// anything is not as S3 has it.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {createRequire} from 'node:module';
import {Readable} from 'node:stream';
import {text, buffer} from 'node:stream/consumers';

const require = createRequire(process.env.LLAMA_NODE_MODULES + '/');
const s3 = require('@aws-sdk/client-s3');
const client = new s3.S3Client({forcePathStyle: true, maxAttempts: 1});
const send = (name, input) => client.send(new s3[name + 'Command'](input));
const Bucket = 'node-bucket';

async function refused(promise, name) {
  await assert.rejects(promise, (error) => {
    assert.ok(error.name === name || error.$metadata?.httpStatusCode === name, `${error}, not ${name}`);
    return true;
  });
}

async function objects() {
  await send('CreateBucket', {Bucket});
  const Body = randomBytes(100_000);
  const put = await send('PutObject', {Bucket, Key: 'k', Body, ContentType: 'a/b', Metadata: {who: 'me'}});
  assert.equal(put.ETag, `"${createHash('md5').update(Body).digest('hex')}"`);
  const got = await send('GetObject', {Bucket, Key: 'k'});
  assert.deepEqual(await buffer(got.Body), Body);
  assert.equal(got.ContentType, 'a/b');
  assert.deepEqual(got.Metadata, {who: 'me'});
  const part = await send('GetObject', {Bucket, Key: 'k', Range: 'bytes=5-9'});
  assert.deepEqual(await buffer(part.Body), Body.subarray(5, 10));
  assert.equal(part.ContentRange, 'bytes 5-9/100000');
  assert.equal((await send('HeadObject', {Bucket, Key: 'k'})).ContentLength, 100_000);
  await refused(send('GetObject', {Bucket, Key: 'none'}), 'NoSuchKey');
  await refused(send('HeadObject', {Bucket, Key: 'none'}), 'NotFound');
  await refused(send('PutObject', {Bucket, Key: 'k', Body: 'x', IfNoneMatch: '*'}), 'PreconditionFailed');
  await send('PutObject', {Bucket, Key: 'new', Body: 'x', IfNoneMatch: '*'});
}

// A stream of known length: aws-chunked, with its checksum in the trailer.
async function streaming() {
  const pieces = Array.from({length: 30}, () => randomBytes(70_001));
  const whole = Buffer.concat(pieces);
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'SHA256', 'SHA1', 'CRC64NVME']) {
    await send('PutObject', {
      Bucket, Key: 'streamed', Body: Readable.from(pieces), ContentLength: whole.length, ChecksumAlgorithm,
    });
    const got = await send('GetObject', {Bucket, Key: 'streamed', ChecksumMode: 'ENABLED'});
    assert.deepEqual(await buffer(got.Body), whole);
    assert.ok(got['Checksum' + ChecksumAlgorithm], ChecksumAlgorithm);
  }
}

async function multipart() {
  const parts = [randomBytes(5 << 20), randomBytes(1000)];
  const {UploadId} = await send('CreateMultipartUpload', {Bucket, Key: 'large'});
  const done = [];
  for (const [i, Body] of parts.entries()) {
    const {ETag, ChecksumCRC32} = await send('UploadPart', {Bucket, Key: 'large', UploadId, PartNumber: i + 1, Body});
    done.push({PartNumber: i + 1, ETag, ChecksumCRC32});
  }
  const {ETag} = await send('CompleteMultipartUpload', {Bucket, Key: 'large', UploadId, MultipartUpload: {Parts: done}});
  assert.match(ETag, /-2"$/);
  assert.deepEqual(await buffer((await send('GetObject', {Bucket, Key: 'large'})).Body), Buffer.concat(parts));
}

async function listing() {
  for (let i = 0; i < 12; ++i) await send('PutObject', {Bucket, Key: `l/${i % 3}/${i}`, Body: ''});
  const keys = [];
  for await (const page of s3.paginateListObjectsV2({client, pageSize: 5}, {Bucket, Prefix: 'l/'})) {
    keys.push(...page.Contents.map((o) => o.Key));
  }
  assert.equal(keys.length, 12);
  const {CommonPrefixes} = await send('ListObjectsV2', {Bucket, Prefix: 'l/', Delimiter: '/'});
  assert.deepEqual(CommonPrefixes.map((p) => p.Prefix), ['l/0/', 'l/1/', 'l/2/']);
}

async function awkwardKeys() {
  const awkward = process.env.AWKWARD.split('\n');
  for (const Key of awkward) await send('PutObject', {Bucket, Key, Body: Key});
  for (const Key of awkward) assert.equal(await text((await send('GetObject', {Bucket, Key})).Body), Key);
  const {Deleted} = await send('DeleteObjects', {Bucket, Delete: {Objects: awkward.map((Key) => ({Key}))}});
  assert.equal(Deleted.length, awkward.length);
}

async function refusals() {
  const {AWS_ACCESS_KEY_ID: accessKeyId} = process.env;
  const other = new s3.S3Client({
    forcePathStyle: true, maxAttempts: 1, credentials: {accessKeyId, secretAccessKey: 'wrong'},
  });
  await refused(other.send(new s3.GetObjectCommand({Bucket, Key: 'k'})), 'SignatureDoesNotMatch');
}

await objects();
await streaming();
await multipart();
await listing();
await awkwardKeys();
await refusals();
