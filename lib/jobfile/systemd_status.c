/* SPDX-License-Identifier: MIT */
/* The names of <sysexits.h> and of init scripts; those of systemd's own failures end no command. */
#include "jobfile/systemd_status.h"

#include <string.h>
#include <sysexits.h>

static const struct {
	const char *name;
	int status;
} status_rows[] = {
    {"SUCCESS", 0},
    {"FAILURE", 1},
    {"INVALIDARGUMENT", 2},
    {"NOTIMPLEMENTED", 3},
    {"NOPERMISSION", 4},
    {"NOTINSTALLED", 5},
    {"NOTCONFIGURED", 6},
    {"NOTRUNNING", 7},
    {"USAGE", EX_USAGE},
    {"DATAERR", EX_DATAERR},
    {"NOINPUT", EX_NOINPUT},
    {"NOUSER", EX_NOUSER},
    {"NOHOST", EX_NOHOST},
    {"UNAVAILABLE", EX_UNAVAILABLE},
    {"SOFTWARE", EX_SOFTWARE},
    {"OSERR", EX_OSERR},
    {"OSFILE", EX_OSFILE},
    {"CANTCREAT", EX_CANTCREAT},
    {"IOERR", EX_IOERR},
    {"TEMPFAIL", EX_TEMPFAIL},
    {"PROTOCOL", EX_PROTOCOL},
    {"NOPERM", EX_NOPERM},
    {"CONFIG", EX_CONFIG},
};

int systemd_status(const char *word, size_t length)
{
	int number = 0;

	for (size_t i = 0; i < sizeof(status_rows) / sizeof(status_rows[0]); i++)
		if (strlen(status_rows[i].name) == length &&
		    memcmp(status_rows[i].name, word, length) == 0)
			return status_rows[i].status;
	if (length == 0 || length > 3)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (word[i] < '0' || word[i] > '9')
			return -1;
		number = number * 10 + (word[i] - '0');
	}
	return number <= 255 ? number : -1;
}
