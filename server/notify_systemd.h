/* SPDX-License-Identifier: MIT */
/* What systemd wants to be told (sd_notify(3)), without its library. */
#ifndef SCHEDD_SERVER_NOTIFY_SYSTEMD_H
#define SCHEDD_SERVER_NOTIFY_SYSTEMD_H

#include <schedd/clock.h>

/*
 * Sends "READY=1\nSTATUS=…" to NOTIFY_SOCKET; does nothing where that is not
 * set. Failing is not told: the supervisor's time-out will.
 */
void notify_systemd(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "RELOADING=1" with the time of Type=notify-reload. */
void notify_systemd_reloading(void);
/* How often "WATCHDOG=1" is expected, halved as advised; 0: never. */
schedd_span notify_systemd_watchdog(void);

#endif
