// SPDX-License-Identifier: GPL-2.0-only
// read_pprof.js DECODER FILE.pb.gz: reads a profile with a decoder that is not ours, follows every
// reference in it, and prints "TYPE SUM" for each sample type.
const { Profile } = require(process.argv[2]);
const raw = require('zlib').gunzipSync(require('fs').readFileSync(process.argv[3]));
const p = Profile.decode(raw);
const strings = p.stringTable.strings;

function fail(why) { console.error(why); process.exit(1); }
function string(index) {
	const text = strings[Number(index)];
	if (text === undefined) fail(`no string ${index} of ${strings.length}`);
	if (/[\u0000-\u001f\u007f]/.test(text)) fail(`control character in ${JSON.stringify(text)}`);
	return text;
}
function by_id(list, what) {
	const map = new Map(list.map(item => [Number(item.id), item]));
	if (map.size !== list.length || map.has(0)) fail(`ids of ${what} are not unique, or 0`);
	return map;
}

if (strings[0] !== '') fail('string 0 is not the empty one');
if (new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(strings.join('\n'))) === null) fail('');
const mappings = by_id(p.mapping, 'mappings');
const functions = by_id(p.function, 'functions');
const locations = by_id(p.location, 'locations');
if (string(p.mapping[0].filename) !== '[kernel.kallsyms]') fail('the first mapping is not the kernel');
for (const f of p.function) if (!string(f.name)) fail('a function without a name');
for (const l of p.location) {
	if (Number(l.mappingId) && !mappings.has(Number(l.mappingId))) fail('no such mapping');
	if (l.line.length !== 1 || !functions.has(Number(l.line[0].functionId))) fail('no such function');
}
const types = p.sampleType.map(t => string(t.type));
if (!types.includes(string(p.defaultSampleType))) fail('the default sample type is none of them');
const sums = types.map(() => 0);
for (const s of p.sample) {
	if (!s.locationId.length || !s.locationId.every(id => locations.has(Number(id)))) fail('no such location');
	if (s.value.length !== types.length) fail('not a value for each type');
	s.value.forEach((v, i) => { sums[i] += Number(v); });
	for (const label of s.label) string(label.key) || fail('a label without a key');
	const keys = s.label.map(label => string(label.key));
	if (!keys.includes('size') || !keys.includes('kind') || !keys.includes('module')) fail(`labels: ${keys}`);
}
types.forEach((type, i) => console.log(type, sums[i]));
