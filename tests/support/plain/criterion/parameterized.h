/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_PLAIN_PARAMETERIZED_H
#define TESTS_SUPPORT_PLAIN_PARAMETERIZED_H

#include <criterion/criterion.h>

#endif
