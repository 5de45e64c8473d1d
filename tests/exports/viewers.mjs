// Loads exports in viewers in a headless Chromium and takes pictures of them:
//   node viewers.mjs devtools TRACE PICTURE
//   node viewers.mjs speedscope PROFILE PICTURE
// Prints what the page says that shows whether it was accepted. Exits with 77 where the packages
// are not there.
import fs from 'fs';
import http from 'http';
import path from 'path';
import {createRequire} from 'module';

let playwright;
const require = createRequire((process.env.NODE_PATH || process.cwd()) + '/');
try {
  playwright = require('playwright-core');
} catch (error) {
  console.error('no playwright-core here');
  process.exit(77);
}
const [viewer, file, picture] = process.argv.slice(2);
const size = {width: 1200, height: 640};

async function withPage(args, run) {
  const browser = await playwright.chromium.launch(
      {executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', ...args]});
  try {
    const page = await (await browser.newContext({viewport: size})).newPage();
    await run(page);
    await page.screenshot({path: picture});
  } finally {
    await browser.close();
  }
}

function serve(folder) {
  const types = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json'};
  const server = http.createServer((request, answer) => {
    const name = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    const wanted = name === '/profile' ? file : path.join(folder, path.normalize(name));
    if (!fs.existsSync(wanted) || fs.statSync(wanted).isDirectory()) return answer.writeHead(404).end();
    answer.setHeader('content-type', types[path.extname(wanted)] || 'application/octet-stream');
    answer.end(fs.readFileSync(wanted));
  });
  return new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(server)));
}

async function devtools() {
  const probe = http.createServer().listen(0, '127.0.0.1');
  await new Promise((ready) => probe.once('listening', ready));
  const port = probe.address().port;
  await new Promise((done) => probe.close(done));
  await withPage([`--remote-debugging-port=${port}`, '--remote-allow-origins=*'], async (page) => {
    await page.goto(`http://127.0.0.1:${port}/devtools/devtools_app.html?panel=timeline`);
    await page.locator('input[type=file]').first().setInputFiles(file);
    // The flame chart names the process once the trace is parsed; the chart itself is a canvas.
    await page.getByText('Bottom-up').first().waitFor({timeout: 60000});
    // What is told to new users lies over the chart.
    await page.locator('devtools-shortcut-dialog').evaluateAll((all) => all.forEach((d) => d.remove()));
    await page.getByLabel('Hide sidebar').evaluateAll((all) => all.slice(0, 1).forEach((b) => b.click()));
    await page.waitForTimeout(1500);
    await page.mouse.click(12, 130);  // unfold the first process, and the first of its tracks
    await page.waitForTimeout(500);
    await page.mouse.click(22, 147);
    await page.waitForTimeout(1500);
    console.log(JSON.stringify({loaded: true}));
  });
}

async function speedscope() {
  const folder = path.dirname(require.resolve('speedscope/dist/release/index.html'));
  const server = await serve(folder);
  const base = `http://127.0.0.1:${server.address().port}`;
  await withPage([], async (page) => {
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    await page.goto(`${base}/index.html#profileURL=${encodeURIComponent(base + '/profile')}`);
    await page.getByText('Left Heavy').first().waitFor({timeout: 30000});
    await page.getByText('Left Heavy').first().click();
    await page.waitForTimeout(1500);
    console.log(JSON.stringify({title: await page.title(), wrong, text: await page.innerText('body')}));
  });
  server.close();
}

await (viewer === 'devtools' ? devtools() : speedscope());
