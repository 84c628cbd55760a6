# SPDX-License-Identifier: MIT
# Subs for the test of the worker in Perl.
package Jobs::Report;
use strict;
use warnings;

sub add { my ($x, $y, $more) = @_; return ($x + $y) * ($more ? $more->{factor} : 1) }
sub says { print "to stdout $_[0]\n"; print STDERR "to stderr\n"; return { list => [ 1, 'two' ] } }
sub fails { die "it is broken\n" }
sub sleeps { sleep $_[0]; return 'slept' }

1;
