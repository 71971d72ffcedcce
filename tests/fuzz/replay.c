// SPDX-License-Identifier: GPL-2.0-only
/* Runs a fuzz target on every file of its corpus, without libFuzzer. */
#include <dirent.h>

#include "../../src/file.h"
#include "fuzz.h"

#define MAX_FILE (16u << 20)

int main(void)
{
	DIR *dir = opendir(CORPUS);
	struct dirent *entry;
	unsigned int files = 0;
	char path[512], *bytes;
	size_t len;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", CORPUS, entry->d_name);
		if (entry->d_name[0] == '.' || file_read(path, MAX_FILE, &bytes, &len))
			continue;
		/* Told before: the last one is what broke it. */
		printf("%s\n", path);
		fflush(stdout);
		bytes = realloc(bytes, len ? len : 1); /* ASan sees what is read beyond */
		LLVMFuzzerTestOneInput((const uint8_t *)bytes, len);
		free(bytes);
		files++;
	}
	if (!files) {
		printf("no file in %s\n", CORPUS);
		return 1;
	}
	closedir(dir);
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
