# SPDX-License-Identifier: MIT
"""What a benchmark calls in another scheduler: without schedd's worker beside it."""


def nothing():
    pass
