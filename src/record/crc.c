// SPDX-License-Identifier: GPL-2.0-only
#include "record/crc.h"

#include <stdbool.h>
#include <zlib.h>

#if defined(__i386__) || defined(__x86_64__)
#include <wmmintrin.h>

#define CHUNK 16u
#define LEAST (4 * CHUNK)

/*
 * Folding: a message is a polynomial, and its CRC the remainder by the generator. To move 128 bits n
 * bits further along the message is to multiply their halves by x^(n + 32) and x^(n - 32) modulo the
 * generator, whose remainder stays the same. All are bit-reflected, as CRC-32 is, so each constant
 * is one bit further left. Four strands, 512 bits apart, then the four into one, 128 bits apart.
 */
#define FOLD_512 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define FOLD_128 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)

#define FOLDS __attribute__((target("sse2,pclmul")))

static inline FOLDS __m128i load(const uint8_t *at)
{
	return _mm_loadu_si128((const __m128i *)at);
}

static inline FOLDS __m128i fold(__m128i bits, __m128i by, __m128i onto)
{
	__m128i low = _mm_clmulepi64_si128(bits, by, 0x00);
	__m128i high = _mm_clmulepi64_si128(bits, by, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), onto);
}

/* len: LEAST at least. What is left of it is the last chunk of a message with the same CRC. */
static FOLDS uint32_t fold_all(const uint8_t *at, size_t len)
{
	__m128i strand[4], sum;
	uint8_t last[CHUNK];
	uint32_t crc;

	for (int i = 0; i < 4; i++)
		strand[i] = load(at + i * CHUNK);
	/* The CRC begins with all bits set. */
	strand[0] = _mm_xor_si128(strand[0], _mm_cvtsi32_si128(-1));
	for (at += LEAST, len -= LEAST; len >= LEAST; at += LEAST, len -= LEAST) {
		for (int i = 0; i < 4; i++)
			strand[i] = fold(strand[i], FOLD_512, load(at + i * CHUNK));
	}
	sum = strand[0];
	for (int i = 1; i < 4; i++)
		sum = fold(sum, FOLD_128, strand[i]);
	for (; len >= CHUNK; at += CHUNK, len -= CHUNK)
		sum = fold(sum, FOLD_128, load(at));
	_mm_storeu_si128((__m128i *)last, sum);
	/* ~0 is the CRC, as zlib has it, of which no bit is set. */
	crc = (uint32_t)crc32(0xffffffff, last, CHUNK);
	return (uint32_t)crc32(crc, at, (uInt)len);
}

static bool can_fold(void)
{
	return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse2");
}
#else
#define LEAST SIZE_MAX
static uint32_t fold_all(const uint8_t *at, size_t len)
{
	return (uint32_t)crc32(0, at, (uInt)len);
}

static bool can_fold(void)
{
	return false;
}
#endif

uint32_t crc_of(const void *bytes, size_t len)
{
	if (len >= LEAST && can_fold())
		return fold_all(bytes, len);
	return (uint32_t)crc32(0, bytes, (uInt)len);
}
