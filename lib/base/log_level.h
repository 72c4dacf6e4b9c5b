/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How urgent an event is, most urgent first. What is compared: an event passes
 * a threshold when its level is at or above that in this list, so
 * `level <= threshold`.
 */
#pragma once

enum log_level {
	/* The process ends, or can no longer do its work. */
	LOG_LEVEL_CRITICAL,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT
};
