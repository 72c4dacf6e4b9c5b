/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * main() of a fuzz target that is built without libFuzzer: it runs each file
 * of the directories and files named on its command line through the target
 * once, and then the empty input.  A crash is the failure; an empty corpus is
 * one as well.  Inputs are handed over in a block of exactly their size, so
 * that a sanitizer sees a read past the end.
 *
 * It uses libc's allocator: what is under test may replace ours.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs_n;

static int
replay_file(const char *path)
{
	struct stat st;
	uint8_t *data;
	size_t len, got;
	FILE *f;

	f = fopen(path, "rbe");
	if (f == NULL || fstat(fileno(f), &st) == -1) {
		perror(path);
		if (f != NULL)
			fclose(f);
		return -1;
	}
	len = (size_t)st.st_size;
	data = malloc(len > 0 ? len : 1);
	if (data == NULL) {
		fclose(f);
		return -1;
	}
	got = fread(data, 1, len, f);
	fclose(f);
	if (got != len) {
		fprintf(stderr, "%s: read %zu of %zu bytes\n", path, got, len);
		free(data);
		return -1;
	}
	/* So that a crash names its input. */
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	inputs_n++;
	return 0;
}

static int
replay_dir(const char *path, DIR *dir)
{
	char file[4096];
	struct dirent *de;
	int n, rc;

	rc = 0;
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		n = snprintf(file, sizeof(file), "%s/%s", path, de->d_name);
		if (n < 0 || (size_t)n >= sizeof(file)) {
			fprintf(stderr, "%s: name too long\n", de->d_name);
			rc = -1;
			continue;
		}
		if (replay_file(file) == -1)
			rc = -1;
	}
	return rc;
}

int
main(int argc, char **argv)
{
	DIR *dir;
	int i, rc;

	rc = 0;
	for (i = 1; i < argc; i++) {
		dir = opendir(argv[i]);
		if (dir == NULL) {
			if (replay_file(argv[i]) == -1)
				rc = 1;
			continue;
		}
		if (replay_dir(argv[i], dir) == -1)
			rc = 1;
		closedir(dir);
	}
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("%lu inputs\n", inputs_n);
	if (inputs_n == 0) {
		fprintf(stderr, "no inputs\n");
		rc = 1;
	}
	return rc;
}
