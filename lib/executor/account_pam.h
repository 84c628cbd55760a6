/* SPDX-License-Identifier: MIT */
/*
 * What PAM says of an account, as cron asks it: may its jobs run, and with which
 * environment and limits? Asked of a program beside schedd, schedd-pam.
 */
#ifndef SCHEDD_EXECUTOR_ACCOUNT_PAM_H
#define SCHEDD_EXECUTOR_ACCOUNT_PAM_H

#include "executor/account.h"

/* Before the name of an account in account_cache_ask(), with a slash, as no name has: PAM is asked, too. */
#define ACCOUNT_PAM "pam/cron:"
/* Likewise: it is the name of an account, also where it is digits, and no number of anybody's. */
#define ACCOUNT_NAMED "named/as:"

/* Is there something to ask, and a service of the name cron? Only where we are root. */
bool account_pam_wanted(void);
/* Blocks, for up to ten seconds. SCHEDD_EPERM: it is refused; adds what it gives to account. */
int account_pam_ask(struct account *account, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
