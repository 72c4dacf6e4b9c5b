/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See portset.h.
 */
#include "daemon/portset.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/base/rand.h"

void
portset_add(struct portset *set, unsigned port)
{
	set->bits[port / 8] |= (uint8_t)(1u << (port % 8));
}

bool
portset_has(const struct portset *set, unsigned port)
{
	return (set->bits[port / 8] >> (port % 8) & 1) != 0;
}

bool
portset_add_text(struct portset *set, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
	uint64_t first, last;

	if (num_u64_len(text, len, 0, UINT16_MAX, &first, NULL) < 0)
		return false;
	last = first;
	if (colon != NULL &&
	    num_u64(colon + 1, first, UINT16_MAX, &last, NULL) < 0)
		return false;
	for (; first <= last; first++)
		portset_add(set, (unsigned)first);
	return true;
}

uint16_t
portset_draw(const struct portset *used, uint16_t first, uint16_t end)
{
	unsigned n = 0;
	uint64_t left;

	for (unsigned p = first; p < end; p++)
		n += !portset_has(used, p);
	if (n == 0)
		return 0;
	left = rand_below(n);
	for (unsigned p = first; p < end; p++)
		if (!portset_has(used, p) && left-- == 0)
			return (uint16_t)p;
	return 0;
}
