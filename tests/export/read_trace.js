// SPDX-License-Identifier: GPL-2.0-only
// read_trace.js DIR FILE: opens a trace with the model behind Chrome's own viewer (DIR is the npm package
// devtools-timeline-model), and prints what that has found: "counter NAME LAST_BYTES", "failures N",
// "lives N". Whatever the model complains of is a failure.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const [dir, file] = process.argv.slice(2).map(name => path.resolve(name));
const complaints = [];

function fail(why) { process.stderr.write(`${why}\n`); process.exit(1); }
function complain(...words) { complaints.push(words.join(' ')); }

const context = vm.createContext({
	require: require('module').createRequire(path.join(dir, 'index.js')),
	global, __dirname: dir,
	console: { log: complain, warn: complain, error: complain, assert: (ok, ...words) => ok || complain(...words) },
});
// What it loads complains to the console of this process.
console.warn = console.error = complain;
new vm.Script(fs.readFileSync(path.join(dir, 'lib/timeline-model.js'), 'utf8')).runInContext(context);
try {
	context.sandboxedModel.init(fs.readFileSync(file, 'utf8'));
} catch (err) {
	// Behind the trace model is one of web pages, which has no use for a trace without a browser.
	if (!/reading 'error'/.test(err.message) || !/browserMainThread/.test(err.stack)) fail(err.stack);
}
const bad = complaints.filter(text => !/TracingStartedInPage/.test(text));
if (bad.length) fail(bad.slice(0, 5).join('\n'));

const processes = context.sandboxedModel.tracingModel().sortedProcesses();
if (processes.length !== 1 || !/^vmalloc space [0-9a-f]{8}-[0-9a-f]{8}$/.test(processes[0].name()))
	fail(`processes: ${processes.map(process => process.name())}`);
const threads = processes[0].sortedThreads();
const events = threads.flatMap(thread => thread.events());
const lives = threads.flatMap(thread => thread.asyncEvents());
const last = new Map();
for (const event of events.filter(event => event.phase === 'C')) last.set(event.name, event.args.bytes);
for (const life of lives) {
	if (life.steps.length !== 2 || !(life.endTime >= life.startTime)) fail(`a life without its end: ${life.name}`);
}
for (const [name, bytes] of [...last].sort()) console.log('counter', name, bytes);
console.log('failures', events.filter(event => event.phase === 'i' || event.phase === 'I').length);
console.log('lives', lives.length);
