/* SPDX-License-Identifier: MIT */
/* A child for bench_runs.py: a line of output ten times a second, and nothing else. */
#include <time.h>
#include <unistd.h>

int main(void)
{
	static const char line[] = "0123456789012345678901234567890123456789\n";
	const struct timespec pause = {0, 100000000};

	while (write(STDOUT_FILENO, line, sizeof(line) - 1) > 0)
		nanosleep(&pause, NULL);
	return 0;
}
