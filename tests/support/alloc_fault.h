/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail when a test says so. Programs linked with this (and the
 * linker's --wrap, see tests/CMakeLists.txt) ask here for all memory that our own
 * code asks for; libraries that are loaded keep theirs.
 */
#ifndef SCHEDD_TESTS_SUPPORT_ALLOC_FAULT_H
#define SCHEDD_TESTS_SUPPORT_ALLOC_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Where the test says so. A program whose environment has SCHEDD_TEST_ALLOC shares that file. */
struct alloc_fault {
	int64_t left;  /* allocations until the one that fails; 0: none does */
	int64_t fired; /* so many have failed */
};

extern struct alloc_fault *alloc_fault;

/* The nth allocation from now on fails, on whatever thread. */
void alloc_fault_arm(int64_t nth);
/* None fails any more. Did it? */
bool alloc_fault_disarm(void);

#endif
