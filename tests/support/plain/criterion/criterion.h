/* SPDX-License-Identifier: MIT */
/*
 * The part of Criterion that our tests use, in one header, for builds in which
 * Criterion cannot run: ThreadSanitizer's address space leaves no room for the
 * arena through which it starts its tests. Each test is a forked process; a
 * failed expectation ends it like a failed assertion.
 */
#ifndef TESTS_SUPPORT_PLAIN_CRITERION_H
#define TESTS_SUPPORT_PLAIN_CRITERION_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct plain_options {
	void (*init)(void);
	void (*fini)(void);
	double timeout; /* not watched */
	int signal;     /* that ends it */
	int exit_code;  /* it ends with */
	bool disabled;
	const char *description;
};

/* What a parameterized test is run with, one after the other. */
struct criterion_test_params {
	size_t size; /* of one */
	void *params;
	size_t length;
};

struct plain_test {
	const char *suite, *name;
	void (*run)(void); /* NULL: options for all tests of the suite */
	struct plain_options options;
	struct criterion_test_params (*params)(void); /* NULL: run takes none */
	struct plain_test *next;
};

static struct plain_test *plain_tests;

static inline void plain_add(struct plain_test *test)
{
	test->next = plain_tests;
	plain_tests = test;
}

#define PLAIN_REGISTER(id, suite_, name_, run_, params_, ...)                                      \
	__attribute__((constructor)) static void id##_register(void)                               \
	{                                                                                          \
		static struct plain_test test = {                                                  \
		    suite_, name_, run_, (struct plain_options){__VA_ARGS__}, params_, NULL};      \
		plain_add(&test);                                                                  \
	}

#define Test(suite, name, ...)                                                                     \
	static void suite##_##name##_impl(void);                                                   \
	PLAIN_REGISTER(suite##_##name, #suite, #name, suite##_##name##_impl, NULL, __VA_ARGS__)    \
	static void suite##_##name##_impl(void)
#define TestSuite(suite, ...) PLAIN_REGISTER(suite##_suite, #suite, "", NULL, NULL, __VA_ARGS__)
#define ParameterizedTestParameters(suite, name)                                                   \
	static struct criterion_test_params suite##_##name##_params(void)
#define ParameterizedTest(parameter, suite, name, ...)                                             \
	static void suite##_##name##_impl(parameter);                                              \
	PLAIN_REGISTER(suite##_##name, #suite, #name, (void (*)(void))suite##_##name##_impl,       \
	    suite##_##name##_params, __VA_ARGS__)                                                  \
	static void suite##_##name##_impl(parameter)
#define cr_make_param_array(type, array, count, ...)                                               \
	((struct criterion_test_params){sizeof(type), (array), (count)})

__attribute__((format(printf, 4, 5), noreturn)) static inline void plain_fail(
    const char *file, int line, const char *what, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: %s ", file, line, what);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(99);
}

#define PLAIN_CHECK(condition, what, ...)                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			plain_fail(__FILE__, __LINE__, what, " " __VA_ARGS__);                     \
	} while (0)

#define cr_assert(c, ...) PLAIN_CHECK(c, #c, __VA_ARGS__)
#define cr_assert_not(c, ...) PLAIN_CHECK(!(c), "not " #c, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) PLAIN_CHECK((a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) PLAIN_CHECK((a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) PLAIN_CHECK((a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) PLAIN_CHECK((a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) PLAIN_CHECK((a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) PLAIN_CHECK((a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_null(a, ...) PLAIN_CHECK((a) == NULL, #a " is null", __VA_ARGS__)
#define cr_assert_not_null(a, ...) PLAIN_CHECK((a) != NULL, #a " is not null", __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) PLAIN_CHECK(strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PLAIN_CHECK(strcmp(a, b) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_float_eq(a, b, by, ...)                                                          \
	PLAIN_CHECK(fabs((a) - (b)) <= (by), #a " about " #b, __VA_ARGS__)
#define cr_assert_str_empty(a, ...) PLAIN_CHECK(!*(a), #a " is empty", __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...)                                                          \
	PLAIN_CHECK(memcmp(a, b, size) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...)                                                         \
	PLAIN_CHECK(memcmp(a, b, size) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_fail(...) PLAIN_CHECK(false, "failed", __VA_ARGS__)
#define cr_expect cr_assert
#define cr_expect_not cr_assert_not
#define cr_expect_eq cr_assert_eq
#define cr_expect_neq cr_assert_neq
#define cr_expect_lt cr_assert_lt
#define cr_expect_leq cr_assert_leq
#define cr_expect_gt cr_assert_gt
#define cr_expect_geq cr_assert_geq
#define cr_expect_null cr_assert_null
#define cr_expect_not_null cr_assert_not_null
#define cr_expect_str_eq cr_assert_str_eq
#define cr_expect_str_neq cr_assert_str_neq
#define cr_expect_arr_eq cr_assert_arr_eq
#define cr_expect_arr_neq cr_assert_arr_neq
#define cr_expect_fail cr_assert_fail
#define cr_skip(...) _exit(0)
#define cr_skip_test cr_skip
#define cr_log_info(...) (printf(__VA_ARGS__), (void)putchar('\n'))

static inline void plain_call(const struct plain_test *test)
{
	struct criterion_test_params params;

	if (!test->params) {
		test->run();
		return;
	}
	params = test->params();
	for (size_t i = 0; i < params.length; i++)
		((void (*)(void *))test->run)((char *)params.params + i * params.size);
}

static inline void plain_child(const struct plain_test *test, const struct plain_test *suite)
{
	if (suite && suite->options.init)
		suite->options.init();
	if (test->options.init)
		test->options.init();
	plain_call(test);
	if (test->options.fini)
		test->options.fini();
	if (suite && suite->options.fini)
		suite->options.fini();
	exit(0);
}

/* Did it end as it should? */
static inline bool plain_run(const struct plain_test *test)
{
	const struct plain_test *suite = plain_tests;
	int status = 0;
	pid_t child;

	while (suite && (suite->run || strcmp(suite->suite, test->suite) != 0))
		suite = suite->next;
	fflush(NULL);
	child = fork();
	if (child == 0)
		plain_child(test, suite);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	if (test->options.signal)
		return WIFSIGNALED(status) && WTERMSIG(status) == test->options.signal;
	return WIFEXITED(status) && WEXITSTATUS(status) == test->options.exit_code;
}

/* Shared fixtures are no programs. */
#ifndef TESTS_SUPPORT_FIXTURE
int main(void)
{
	int count = 0, failed = 0;

	for (const struct plain_test *test = plain_tests; test; test = test->next) {
		if (!test->run || test->options.disabled)
			continue;
		count++;
		if (!plain_run(test)) {
			printf("failed: %s::%s\n", test->suite, test->name);
			failed++;
		}
	}
	printf("%d tests, %d failed\n", count, failed);
	return failed != 0;
}
#endif

#endif
