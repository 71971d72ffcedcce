// SPDX-License-Identifier: GPL-2.0-only
#include "export/gzip.h"

#include <errno.h>
#include <stdlib.h>

#include <zlib.h>

#define GZIP_WINDOW (MAX_WBITS + 16) /* zlib.h: 16 more asks for a gzip header */

struct gzip {
	z_stream stream;
	FILE *out;
	unsigned char buf[65536];
};

struct gzip *gzip_new(FILE *out)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (!gzip)
		return NULL;
	gzip->out = out;
	if (deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
			 Z_DEFAULT_STRATEGY) == Z_OK)
		return gzip;
	free(gzip);
	return NULL;
}

void gzip_free(struct gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->stream);
	free(gzip);
}

/* Until zlib has taken all input and, with Z_FINISH, given all output. */
static int run(struct gzip *gzip, int flush)
{
	int got;

	do {
		size_t len;

		gzip->stream.next_out = gzip->buf;
		gzip->stream.avail_out = sizeof(gzip->buf);
		got = deflate(&gzip->stream, flush);
		len = sizeof(gzip->buf) - gzip->stream.avail_out;
		if (got == Z_STREAM_ERROR || fwrite(gzip->buf, 1, len, gzip->out) != len)
			return -EIO;
	} while (!gzip->stream.avail_out);
	return 0;
}

int gzip_write(struct gzip *gzip, const void *bytes, size_t len)
{
	if (!len)
		return 0;
	gzip->stream.next_in = (unsigned char *)bytes;
	gzip->stream.avail_in = (unsigned int)len;
	return run(gzip, Z_NO_FLUSH);
}

int gzip_finish(struct gzip *gzip)
{
	gzip->stream.avail_in = 0;
	return run(gzip, Z_FINISH);
}
