// SPDX-License-Identifier: GPL-2.0-only
// read_speedscope.js DIR FILE...: opens each file with the importers of speedscope itself (DIR is its
// release), and prints "FILE PROFILE UNIT SUM" for each profile in it, or "FILE nothing".
//
// The application cannot run here, without a browser. It is loaded all the same, up to where it asks
// for one; by then its modules are defined, and those of the importers need no more.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const [dir, ...files] = process.argv.slice(2);

function fail(why) { console.error(why); process.exit(1); }

function load(context, prefix) {
	const name = fs.readdirSync(dir).find(file => file.startsWith(prefix) && file.endsWith('.js'));
	if (!name) fail(`no ${prefix}*.js in ${dir}`);
	try {
		vm.runInContext(fs.readFileSync(path.join(dir, name), 'utf8'), context);
	} catch (err) {
		if (!context.parcelRequire) fail(`${name}: ${err.message}`);
	}
}

function importers() {
	const context = vm.createContext({ console: { log() {} }, TextDecoder, TextEncoder, performance, setTimeout });
	context.window = context.self = context;
	load(context, 'speedscope.');
	load(context, 'import.');
	for (const id of Object.keys(context.parcelRequire.modules)) {
		let module;
		try { module = context.parcelRequire(id); } catch { continue; }
		if (module.importProfileGroupFromText) return module;
	}
	return fail('speedscope has no importers');
}

// The names of all frames; every sample is below the root that all exports have.
function check_profile(profile, file) {
	const names = [];
	profile.forEachFrame(frame => names.push(frame.name));
	if (names.some(name => typeof name !== 'string' || name === '')) fail(`${file}: a frame without a name`);
	let depth = 0;
	profile.forEachCall((node) => {
		if (!file.endsWith('.gz') && depth++ === 0 && node.frame.name !== 'vmalloc')
			fail(`${file}: ${node.frame.name} is the root`);
	}, () => { depth--; });
}

(async () => {
	const speedscope = importers();
	for (const file of files) {
		const bytes = fs.readFileSync(file);
		const name = path.basename(file);
		const group = file.endsWith('.gz')
			? await speedscope.importProfilesFromArrayBuffer(name, new Uint8Array(bytes).buffer)
			: await speedscope.importProfileGroupFromText(name, bytes.toString());
		if (!group || !group.profiles.length) {
			console.log(name, 'nothing');
			continue;
		}
		for (const profile of group.profiles) {
			check_profile(profile, file);
			console.log(name, profile.getName() || '-', profile.getWeightUnit(), profile.getTotalWeight());
		}
	}
})().catch(err => fail(err.stack));
