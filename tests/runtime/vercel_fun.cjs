// Runs a folder's bootstrap under npm's @vercel/fun (Runtime: provided) and tells what each payload
// gave: vercel_fun.cjs FOLDER, payloads as lines of JSON on stdin, one line of JSON out for each.
const { createFunction } = require('@vercel/fun');

(async () => {
  const payloads = require('fs').readFileSync(0, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const fn = await createFunction({
    Code: { Directory: process.argv[2] },
    Handler: 'any',
    Runtime: 'provided',
    MemorySize: 512,
    Timeout: 30,
  });
  const invoke = async (payload) => {
    try {
      return { answer: await fn(payload) };
    } catch (error) {
      return { error: error.message, name: error.name };
    }
  };
  for (const payload of payloads) console.log(JSON.stringify(await invoke(payload)));
  // Several environments at once, then every one frozen and thawed.
  for (let round = 0; round < 2; ++round) {
    for (const result of await Promise.all([1, 2, 3].map(() => invoke(payloads[0])))) console.log(JSON.stringify(result));
  }
  await fn.destroy();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
